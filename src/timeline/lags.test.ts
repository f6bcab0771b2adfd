import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lagPackets } from './bounds.ts';
import { Lags } from './lags.ts';

test('known are the lags of the packets placed last, and no more than were placed', () => {
  const lags = new Lags();
  assert.equal(lags.latest, undefined);
  assert.deepEqual(lags.known, []);
  const added: number[] = [];
  for (let packet = 0; packet < 3 * lagPackets; packet++) {
    const lag = packet % 7 === 0 ? packet : packet + 0.25;
    lags.add(lag);
    added.push(lag);
    assert.equal(lags.latest, lag);
    assert.deepEqual(sorted(lags.known), sorted(added.slice(-lagPackets)));
  }
  lags.clear();
  assert.equal(lags.latest, undefined);
  assert.deepEqual(lags.known, []);
  lags.add(-3);
  assert.deepEqual(lags.known, [-3]);
});

function sorted(lags: readonly number[]): number[] {
  return lags.toSorted((a, b) => a - b);
}
