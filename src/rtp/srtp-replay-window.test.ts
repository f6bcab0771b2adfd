import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SrtpReplayWindow } from './srtp-replay-window.ts';

test('an index passes once, in whatever order; what is too old never', () => {
  const window = new SrtpReplayWindow();
  for (const index of [100, 102, 101, 99, 611]) {
    assert.equal(window.isReplay(index), false, `${index}`);
    window.add(index);
    assert.equal(window.isReplay(index), true, `${index}`);
  }
  assert.equal(window.isReplay(99), true, 'too old');
  assert.equal(window.isReplay(100), true);
  assert.equal(window.isReplay(103), false);
  window.add(100_000);
  assert.equal(window.isReplay(99_999), false);
  assert.equal(window.isReplay(99_488), true);
  assert.equal(window.isReplay(99_489), false);
});

test('sequence numbers stand for the nearest index, over wraps in both directions', () => {
  const window = new SrtpReplayWindow();
  window.add(65_534);
  for (const [sequenceNumber, index] of [
    [65_535, 65_535],
    [0, 65_536],
    [20_000, 85_536],
    [65_000, 65_000],
    [32_000, 97_536],
  ] as const)
    assert.equal(window.estimate(sequenceNumber), index);
  window.add(65_537);
  assert.equal(window.estimate(65_533), 65_533);
  window.add(0x1_0000 * 40_000);
  assert.equal(window.estimate(65_535), 0x1_0000 * 40_000 - 1);
  const first = new SrtpReplayWindow();
  first.add(3);
  assert.ok(first.estimate(65_530) < 0);
});
