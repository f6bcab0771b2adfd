import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ModulationStatistics } from './modulation-statistics.ts';

function featuresOf(...blocks: number[][]): Map<string, number> {
  const statistics = new ModulationStatistics(new Float64Array(ModulationStatistics.stateLength));
  for (const block of blocks) statistics.add(Float64Array.from(block));
  const features = new Map<string, number>();
  statistics.features((name, value) => features.set(name, value), 'x');
  return features;
}

/** Swings so many times a second, by 4 dB up and down. */
const swing = (hz: number): number[] =>
  Array.from({ length: 1000 }, (_, i) => -20 + 4 * Math.sin((2 * Math.PI * hz * i) / 100));

test('each rate of swinging is seen in its own range', () => {
  for (const [hz, rate] of [
    [1.5, 0],
    [3.2, 1],
    [7, 2],
    [14, 3],
    [27, 4],
    [42, 5],
  ] as const) {
    const features = featuresOf(swing(hz));
    for (let other = 0; other < 6; other++)
      if (other !== rate) assert.ok(features.get(`x rate ${other}`)! < features.get(`x rate ${rate}`)! - 6);
  }
});

test('levels are like those a period later, and unlike those half a period later', () => {
  const features = featuresOf(swing(100 / 32), swing(100 / 32));
  assert.ok(features.get('x alike 32')! > 0.98);
  assert.ok(features.get('x alike 16')! < -0.98);
  assert.ok(Math.abs(features.get('x spread')! - 4 / Math.SQRT2) < 0.05);
});
