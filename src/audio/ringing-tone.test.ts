import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rmsDbov } from './level.ts';
import { ringingCadence } from './ringing-tone.ts';

const rateHz = 8000;

/** Lengths of tone and silence in turn, in ms, to 10 ms. */
function spansMs(samples: Int16Array): number[] {
  const spans: number[] = [];
  let wasOn = false;
  for (let at = 0; at < samples.length; at += rateHz / 100) {
    const isOn = samples.subarray(at, at + rateHz / 100).some((sample) => Math.abs(sample) > 300);
    if (isOn !== wasOn || spans.length === 0) spans.push(0);
    spans[spans.length - 1]! += 10;
    wasOn = isOn;
  }
  return spans;
}

for (const [country, spans] of [
  ['us', [2000, 4000]],
  ['gb', [400, 200, 400, 2000]],
  ['de', [1000, 4000]],
  ['fr', [1500, 3500]],
] as const)
  test(`${country} rings ${spans.join(', ')} ms`, () =>
    assert.deepEqual(spansMs(ringingCadence(country, rateHz)), spans));

for (const country of ['xx', '', 'toString', '__proto__'])
  test(`"${country}" rings as the us`, () =>
    assert.equal(ringingCadence(country, rateHz), ringingCadence('us', rateHz)));

test('it is as loud with two frequencies as with one, at every rate', () => {
  for (const rate of [8000, 16_000, 48_000] as const)
    for (const country of ['us', 'de']) {
      const level = rmsDbov(ringingCadence(country, rate).subarray(0, rate));
      assert.ok(Math.abs(level + 20) < 0.2, `${country} at ${rate}: ${level} dBov`);
    }
});
