import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Slots } from './slots.ts';

const never = new AbortController().signal;

test('so many at once, then in order', async () => {
  const slots = new Slots(2, 10);
  const order: string[] = [];
  const first = await slots.take(never);
  const second = await slots.take(never);
  const take = async (name: string) => {
    const release = await slots.take(never);
    order.push(name);
    return release;
  };
  const third = take('third');
  const fourth = take('fourth');
  await Promise.resolve();
  assert.deepEqual(order, []);
  first();
  (await third)();
  (await fourth)();
  second();
  assert.deepEqual(order, ['third', 'fourth']);
  const again = await Promise.all([slots.take(never), slots.take(never)]);
  assert.equal(again.length, 2);
});

test('one who waits may give up, and leaves no gap', async () => {
  const slots = new Slots(1, 10);
  const release = await slots.take(never);
  const giveUp = new AbortController();
  const gone = slots.take(giveUp.signal);
  const next = slots.take(never);
  giveUp.abort(new Error('hung up'));
  await assert.rejects(gone, { message: 'hung up' });
  await assert.rejects(slots.take(giveUp.signal), { message: 'hung up' });
  release();
  (await next)();
});

test('too many are refused', async () => {
  const slots = new Slots(1, 1);
  const release = await slots.take(never);
  const waiting = slots.take(never);
  await assert.rejects(slots.take(never), { code: 'SPEECH_FAILED' });
  release();
  (await waiting)();
});
