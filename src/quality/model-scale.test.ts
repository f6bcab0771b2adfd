import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromModelScale, toModelScale } from './model-scale.ts';

test('there and back, rising, without a step where the scale changes', () => {
  let before = -1;
  for (let seconds = 0.05; seconds < 20; seconds += 0.05) {
    const value = toModelScale(seconds);
    assert.ok(Math.abs(fromModelScale(value) - seconds) < 1e-9);
    assert.ok(value > before && value - before < 0.0501 + (before < 0 ? 2 : 0));
    before = value;
  }
});
