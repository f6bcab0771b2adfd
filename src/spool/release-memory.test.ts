import assert from 'node:assert/strict';
import { test } from 'node:test';
import { releaseMemory } from './release-memory.ts';

test('memory is free at once, without a collection', () => {
  const bytes = 16 << 20;
  const before = process.memoryUsage().arrayBuffers;
  const pieces = Array.from({ length: 4 }, () => Buffer.allocUnsafeSlow(bytes).fill(1));
  const held = process.memoryUsage().arrayBuffers - before;
  assert.ok(held > 3 * bytes, `${held}`);
  for (const piece of pieces) releaseMemory(piece);
  const left = process.memoryUsage().arrayBuffers - before;
  assert.ok(left < bytes, `${left}`);
  assert.equal(pieces[0]!.length, 0);
});
