import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { ReadGroup } from './read-group.ts';

/** Answers with what it was asked for, and when. */
class Reads {
  readonly asked: (readonly string[])[] = [];
  readonly #answers: PromiseWithResolvers<void>[] = [];

  async read(ids: readonly string[]): Promise<Map<string, string>> {
    const query = this.asked.push(ids);
    const answer = Promise.withResolvers<void>();
    this.#answers.push(answer);
    await answer.promise;
    const known = ids.filter((id) => id !== 'unknown');
    return new Map(known.map((id) => [id, `${id} of query ${query}`]));
  }

  async answer(failure?: Error): Promise<void> {
    await setImmediate();
    const next = this.#answers.shift();
    if (failure) next?.reject(failure);
    else next?.resolve();
    await setImmediate();
  }
}

test('what is asked for at once is one query; what comes meanwhile is read anew, in the next ones', async () => {
  const reads = new Reads();
  const group = new ReadGroup((ids) => reads.read(ids), 2);
  const first = ['a', 'b', 'a'].map((id) => group.get(id));
  await setImmediate();
  const meanwhile = ['a', 'unknown', 'c'].map((id) => group.get(id));
  for (let query = 0; query < 3; query++) await reads.answer();
  assert.deepEqual(await Promise.all(first), ['a of query 1', 'b of query 1', 'a of query 1']);
  assert.deepEqual(await Promise.all(meanwhile), ['a of query 2', undefined, 'c of query 3']);
  assert.deepEqual(reads.asked, [['a', 'b'], ['a', 'unknown'], ['c']]);
});

test('where a query fails each is read by itself', async () => {
  const reads = new Reads();
  const group = new ReadGroup((ids) => reads.read(ids));
  const asked = Promise.allSettled(['a', 'b'].map((id) => group.get(id)));
  await reads.answer(new Error('refused'));
  await reads.answer(new Error('refused'));
  await reads.answer();
  assert.deepEqual(
    (await asked).map(({ status }) => status),
    ['rejected', 'fulfilled'],
  );
  const alone = assert.rejects(group.get('c'), /gone/);
  await reads.answer(new Error('gone'));
  await alone;
  assert.deepEqual(reads.asked, [['a', 'b'], ['a'], ['b'], ['c']]);
  const later = group.get('a');
  await reads.answer();
  assert.equal(await later, 'a of query 5');
});
