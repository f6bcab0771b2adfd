import assert from 'node:assert/strict';
import { test } from 'node:test';
import { riseOf, type Series } from './rise.ts';

function series(kind: Series['kind'], ...megabytes: number[]): Series {
  return { name: 'server', kind, points: megabytes.map((each, look) => [2000 + look * 1000, each]) };
}

test('what goes up and down is no rise', () => {
  const rise = riseOf(series('kept', 45, 45.1, 44.9, 45.1, 44.9, 45));
  assert.equal(rise.grows, false);
  assert.deepEqual([rise.firstMB, rise.lastMB], [45, 45]);
});

test('an id that is forgotten at every call is one: 100 bytes of 10,000 calls', () => {
  const looks = Array.from({ length: 11 }, (_, look) => 45 + (look * 1000 * 100) / 2 ** 20);
  const rise = riseOf(series('kept', ...looks));
  assert.equal(Math.round(rise.bytesPerCall), 100);
  assert.equal(rise.riseMB.toFixed(2), '0.95');
  assert.equal(rise.grows, true);
  assert.equal(riseOf(series('resident', ...looks)).grows, false);
});

test('what shrinks does not grow, and what was not measured is not told to be well', () => {
  assert.equal(riseOf(series('resident', 200, 190, 180)).grows, false);
  assert.equal(riseOf(series('kept', 45, Number.NaN, 45)).grows, true);
});
