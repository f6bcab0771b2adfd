import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromModelScale, toModelScale } from './model-scale.ts';

test('there and back, rising; the same ratio is the same step where halls are', () => {
  let before = Number.NEGATIVE_INFINITY;
  for (let seconds = 0.05; seconds < 20; seconds += 0.05) {
    const value = toModelScale(seconds);
    assert.ok(Math.abs(fromModelScale(value) - seconds) < 1e-9);
    assert.ok(value > before);
    before = value;
  }
  const step = (seconds: number): number => toModelScale(1.5 * seconds) - toModelScale(seconds);
  assert.ok(Math.abs(step(4) - step(8)) < 0.03);
});
