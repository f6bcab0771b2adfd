import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FallStatistics } from './fall-statistics.ts';

function featuresOf(levels: number[]): Map<string, number> {
  const statistics = new FallStatistics(new Float64Array(FallStatistics.stateLength));
  statistics.add(Float64Array.from(levels));
  const features = new Map<string, number>();
  statistics.features((name, value) => features.set(name, value), 'x');
  return features;
}

/** Words at full level, each followed by a fall of so many dB a second down to -45 dB. */
const words = (dbPerSecond: number): number[] =>
  Array.from({ length: 12 }, () =>
    Array.from({ length: 150 }, (_, i) => (i < 20 ? 0 : Math.max(-45, (-dbPerSecond * (i - 19)) / 100))),
  ).flat();

test('the time a fall takes is that of the room', () => {
  for (const rt60Seconds of [0.3, 0.8, 2]) {
    const features = featuresOf(words(60 / rt60Seconds));
    for (const fall of [12, 24]) {
      const seconds = Math.exp(features.get(`x fall ${fall} 30`)!) / 100;
      const wanted = (fall / 60) * rt60Seconds;
      assert.ok(Math.abs(seconds - wanted) < 0.02 + 0.15 * wanted, `${seconds} for ${wanted}`);
    }
    assert.ok(features.get('x falls 24')! > 0.8);
  }
});

test('a fall that ends in the next word says nothing of what it would have come to', () => {
  const features = featuresOf(words(15).map((level) => Math.max(level, -9)));
  assert.equal(features.get('x falls 12'), 0);
  assert.ok(features.get('x falls 6')! > 0.8);
});

test('of no speech nothing is said', () => {
  assert.equal(featuresOf(Array.from({ length: 500 }, () => -30)).get('x falls 6'), 0);
});
