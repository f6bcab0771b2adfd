import assert from 'node:assert/strict';
import { test } from 'node:test';
import { slopeOf } from './slope.ts';

test('a line has its slope, and a scatter around it the same', () => {
  assert.equal(
    slopeOf([
      [0, 1],
      [10, 3],
      [20, 5],
    ]),
    0.2,
  );
  assert.equal(
    slopeOf([
      [0, 1],
      [1, 0],
      [2, 0],
      [3, 1],
    ]),
    0,
  );
  assert.equal(slopeOf([[5, 7]]), 0);
});
