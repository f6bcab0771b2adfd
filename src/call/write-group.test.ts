import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { WriteGroup } from './write-group.ts';

test('what comes while others are written is written together, no more than fit, in order', async () => {
  const groups: number[][] = [];
  const group = new WriteGroup<number>(async (items) => {
    groups.push([...items]);
    await setImmediate();
  }, 3);
  const first = [group.add(1), group.add(2)];
  await Promise.resolve();
  await Promise.resolve();
  await Promise.all([...first, ...[3, 4, 5, 6].map((item) => group.add(item))]);
  await group.add(7);
  assert.deepEqual(groups, [[1, 2], [3, 4, 5], [6], [7]]);
});

test('one that fails fails alone', async () => {
  const written: number[] = [];
  const group = new WriteGroup<number>(async (items) => {
    if (items.includes(2)) throw new Error('refused');
    written.push(...items);
  });
  const outcomes = await Promise.allSettled([1, 2, 3].map((item) => group.add(item)));
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
  assert.deepEqual(written, [1, 3]);
});
