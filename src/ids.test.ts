import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newId } from './ids.ts';

test('ids are 16 hex digits, each another one, and every bit of them is random', () => {
  const ids = Array.from({ length: 10_000 }, () => newId());
  assert.equal(new Set(ids).size, ids.length);
  for (const id of ids) assert.match(id, /^[0-9a-f]{16}$/);
  for (let bit = 0n; bit < 64n; bit++) {
    const set = ids.filter((id) => (BigInt(`0x${id}`) >> bit) & 1n).length;
    // Ten standard deviations.
    assert.ok(Math.abs(set - ids.length / 2) < 500, `bit ${bit} is set in ${set} of ${ids.length}`);
  }
});
