import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleOf } from './sample-check.ts';

test('a sample is spread over all, the last one among it', () => {
  const all = Array.from({ length: 12_000 }, (_, index) => index + 1);
  const sample = sampleOf(all, 100);
  assert.deepEqual([sample.length, sample[0], sample[1], sample.at(-1)], [100, 120, 240, 12_000]);
  assert.equal(new Set(sampleOf(all.slice(0, 151), 100)).size, 100);
});

test('where there are fewer, it is all of them', () => {
  assert.deepEqual(sampleOf([1, 2, 3], 100), [1, 2, 3]);
  assert.deepEqual(sampleOf([], 100), []);
});
