import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChunkBodies } from './chunk-bodies.ts';

test('what was taken last and given back is taken again, what is held is not', () => {
  const bodies = new ChunkBodies();
  const held = bodies.take(1000);
  const passed = bodies.take(2000);
  bodies.giveBack(passed);
  const next = bodies.take(500);
  assert.equal(next.byteOffset, passed.byteOffset);
  bodies.giveBack(held);
  assert.equal(bodies.take(1).byteOffset, next.byteOffset + next.length);
});

test('what does not fit has memory of its own, and giving that back changes nothing', () => {
  const bodies = new ChunkBodies();
  const first = bodies.take(500 * 1024);
  const own = bodies.take(100 * 1024);
  assert.notEqual(own.buffer, first.buffer);
  bodies.giveBack(own);
  assert.equal(bodies.take(1).byteOffset, first.length);
  bodies.reset();
  assert.equal(bodies.take(1).byteOffset, first.byteOffset);
});
