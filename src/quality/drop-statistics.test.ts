import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DropStatistics } from './drop-statistics.ts';

function featuresOf(levels: number[]): (name: string) => number {
  const statistics = new DropStatistics(new Float64Array(DropStatistics.stateLength));
  statistics.add(Float64Array.from(levels));
  const features = new Map<string, number>();
  statistics.features((name, value) => features.set(name, value), 'x');
  return (name) => features.get(`x ${name}`)!;
}

/** A sound every 1.2 s, at this level above the noise, that falls by so many dB a second into it. */
const sounds = (peakDb: number, dbPerSecond: number): number[] =>
  Array.from({ length: 600 }, (_, row) => {
    const since = (row % 60) - 10;
    return since < 0 ? 0 : Math.max(0, peakDb - (dbPerSecond * since) / 50);
  });

test('a drop takes as long as the room lets it, above the noise', () => {
  for (const rt60Seconds of [0.5, 1, 1.6]) {
    const features = featuresOf(sounds(30, 60 / rt60Seconds));
    for (const drop of [9, 18]) {
      const seconds = Math.exp(features(`drop ${drop} 40`)) / 50;
      const wanted = (drop / 60) * rt60Seconds;
      assert.ok(Math.abs(seconds - wanted) < 0.02 + 0.2 * wanted, `${seconds} for ${wanted}`);
      assert.ok(features(`drops ${drop}`) > 0.85);
    }
  }
});

test('what would end in the noise is not followed', () => {
  const features = featuresOf(sounds(14, 60));
  assert.ok(features('drops 9') > 0.85);
  assert.equal(features('drops 12'), 0);
});

test('nor is what ends in the next sound', () => {
  const features = featuresOf(Array.from({ length: 600 }, (_, row) => 30 - 0.4 * (row % 15)));
  assert.ok(features('drops 3') > 0.9);
  assert.equal(features('drops 6'), 0);
});
