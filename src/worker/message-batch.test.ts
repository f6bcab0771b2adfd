import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { MessageBatch } from './message-batch.ts';

test('what is said in one turn is one message, in its order', async () => {
  const sent: number[][] = [];
  const batch = new MessageBatch<number>((messages) => sent.push(messages));
  batch.add(1);
  await Promise.resolve();
  batch.add(2);
  assert.deepEqual(sent, []);
  await setImmediate();
  batch.add(3);
  batch.flush();
  batch.flush();
  batch.add(4);
  await setImmediate();
  await setImmediate();
  assert.deepEqual(sent, [[1, 2], [3], [4]]);
});
