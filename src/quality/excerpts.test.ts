import assert from 'node:assert/strict';
import { test } from 'node:test';
import { excerptAt } from './excerpts.ts';

test('ten seconds: two in the first minute, one a minute from the third on, and from the tenth on one in two', () => {
  const begins = Array.from({ length: 15 }, (_, index) => excerptAt(index).fromSeconds);
  assert.deepEqual(begins, [0, 45, 120, 180, 240, 300, 360, 420, 480, 540, 600, 720, 840, 960, 1080]);
  for (const index of [0, 1, 7, 99]) {
    const { fromSeconds, toSeconds } = excerptAt(index);
    assert.equal(toSeconds - fromSeconds, 10);
    assert.ok(excerptAt(index + 1).fromSeconds >= toSeconds);
  }
});
