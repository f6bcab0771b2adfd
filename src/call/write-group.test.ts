import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { FakeClock } from '../clock.ts';
import { WriteGroup } from './write-group.ts';

test('what comes while others are written is written together, no more than fit, in order', async () => {
  const groups: number[][] = [];
  const group = new WriteGroup<number>(
    async (items) => {
      groups.push([...items]);
      await setImmediate();
    },
    { most: 3 },
  );
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

test('many do not wait for one that came first, where two groups may be written side by side', async () => {
  const writing: { items: readonly number[]; done: () => void }[] = [];
  const write = (items: readonly number[]) =>
    new Promise<void>((done) => void writing.push({ items: [...items], done }));
  const group = new WriteGroup<number>(write, { mostGroups: 2 });
  const [first, others] = [group.add(1), setImmediate().then(() => [2, 3].map((item) => group.add(item)))];
  const behind = (await others) && setImmediate().then(() => [4, 5].map((item) => group.add(item)));
  const all = [first, ...(await others), ...(await behind)];
  await setImmediate();
  assert.deepEqual(
    writing.map(({ items }) => items),
    [[1], [2, 3]],
  );
  for (const { done } of writing) done();
  await setImmediate();
  assert.deepEqual(writing[2]?.items, [4, 5]);
  writing[2]?.done();
  await Promise.all(all);
});

test('with a pace the first is written at once, and what comes within it together, unless it is as much as fits', async () => {
  const clock = new FakeClock();
  const groups: number[][] = [];
  const write = async (items: readonly number[]) => void groups.push([...items]);
  const group = new WriteGroup<number>(write, { most: 3, pace: { clock, everyMs: 20 } });
  await group.add(1);
  assert.equal(clock.pendingTimers, 0);
  const [two, three] = [group.add(2), group.add(3)];
  await setImmediate();
  clock.advanceMs(19);
  await setImmediate();
  assert.deepEqual(groups, [[1]]);
  clock.advanceMs(1);
  await Promise.all([two, three]);
  await Promise.all([4, 5, 6].map((item) => group.add(item)));
  assert.deepEqual(groups, [[1], [2, 3], [4, 5, 6]]);
  clock.advanceMs(20);
  await group.add(7);
  assert.deepEqual(groups.at(-1), [7]);
  assert.equal(clock.pendingTimers, 0);
});
