import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SharedWork } from './shared-work.ts';

test('the same work is done once for all who wait, and again for who comes later', async () => {
  const shared = new SharedWork<number>();
  let started = 0;
  const work = async () => ++started;
  assert.deepEqual(
    await Promise.all([shared.do('a', work), shared.do('a', work), shared.do('b', work)]),
    [1, 1, 2],
  );
  assert.equal(await shared.do('a', work), 3);
});

test('everyone gets the error', async () => {
  const shared = new SharedWork<number>();
  const work = async (): Promise<number> => {
    throw new Error('broken');
  };
  for (const result of await Promise.allSettled([shared.do('a', work), shared.do('a', work)]))
    assert.equal((result as PromiseRejectedResult).reason.message, 'broken');
});

test('one may give up; the work is abandoned when the last one does', async () => {
  const shared = new SharedWork<number>();
  const { promise, resolve } = Promise.withResolvers<number>();
  let abandoned: AbortSignal | undefined;
  const work = (signal: AbortSignal) => {
    abandoned = signal;
    return promise;
  };
  const [ann, ben] = [new AbortController(), new AbortController()];
  const first = shared.do('a', work, ann.signal);
  const second = shared.do('a', work, ben.signal);
  ann.abort(new Error('ann hung up'));
  await assert.rejects(first, { message: 'ann hung up' });
  assert.equal(abandoned?.aborted, false);
  ben.abort(new Error('ben hung up'));
  await assert.rejects(second, { message: 'ben hung up' });
  assert.equal(abandoned?.aborted, true);
  assert.equal(await shared.do('a', async () => 7), 7);
  resolve(1);
});

test('who has given up already starts nothing', async () => {
  const shared = new SharedWork<number>();
  const work = async () => assert.fail('started');
  await assert.rejects(shared.do('a', work, AbortSignal.abort(new Error('gone'))), { message: 'gone' });
});
