import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SharedRead } from './shared-read.ts';

test('who asks at once shares a read, who asks while it runs shares the next', async () => {
  const reads: PromiseWithResolvers<number>[] = [];
  const shared = new SharedRead(() => {
    const read = Promise.withResolvers<number>();
    reads.push(read);
    return read.promise;
  });
  const early = [shared.get(), shared.get()];
  await Promise.resolve();
  assert.equal(reads.length, 1);
  const late = [shared.get(), shared.get()];
  reads[0]!.resolve(1);
  assert.deepEqual(await Promise.all(early), [1, 1]);
  await Promise.resolve();
  assert.equal(reads.length, 2);
  reads[1]!.reject(new Error('gone'));
  await assert.rejects(late[0]!, /gone/);
  await assert.rejects(late[1]!, /gone/);
  const after = shared.get();
  await Promise.resolve();
  await Promise.resolve();
  reads[2]!.resolve(3);
  assert.equal(await after, 3);
});
