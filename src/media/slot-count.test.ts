import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SlotCount } from './slot-count.ts';

test('while a slot is made, those before the room whose turn it is have made it, those behind it have not', () => {
  const slots = new SlotCount();
  const counts = () => [1, 2, 3].map((order) => slots.by(order));
  assert.deepEqual(counts(), [0, 0, 0]);
  slots.comes(2);
  assert.deepEqual(counts(), [1, 0, 0]);
  slots.isThrough(2);
  assert.deepEqual(counts(), [1, 1, 0]);
  slots.end();
  assert.deepEqual(counts(), [1, 1, 1]);
});
