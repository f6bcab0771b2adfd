import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fineBandCount, leastDbov, stepsPerDb } from './band-levels.ts';
import { FineStatistics } from './fine-statistics.ts';
import { randomOf } from './test-random.ts';

const rows = 500;

/** Levels of 10 s in dBov, of each band. */
function featuresOf(levelOf: (row: number, band: number) => number): Map<string, number> {
  const block = new Uint8Array(rows * fineBandCount);
  for (let row = 0; row < rows; row++)
    for (let band = 0; band < fineBandCount; band++)
      block[row * fineBandCount + band] = Math.round((levelOf(row, band) - leastDbov) * stepsPerDb);
  const statistics = new FineStatistics(new Float64Array(FineStatistics.stateLength));
  statistics.addBlock(block, rows);
  const features = new Map<string, number>();
  statistics.features((name, value) => features.set(name, value));
  return features;
}

test('one harmonic that stands out of the noise tells of the room, whatever lies in the bands beside it', () => {
  const random = randomOf(1);
  const noise = Array.from({ length: rows * fineBandCount }, () => -52 + 4 * random());
  const harmonic = (row: number) => -20 - ((row % 50) * 60) / (50 * 0.9);
  const features = featuresOf((row, band) => {
    const level = noise[row * fineBandCount + band]!;
    return band === 10 ? Math.max(level, harmonic(row)) : level;
  });
  const wanted = Math.log((12 / 60) * 0.9 * 50);
  assert.ok(
    Math.abs(features.get('fine 1 drop 12 40')! - wanted) < 0.25,
    `${features.get('fine 1 drop 12 40')}`,
  );
  assert.equal(features.get('fine 2 drops 12'), 0);
  assert.ok(features.get('fine 1 top')! > features.get('fine 2 top')! + 2);
});

test('noise far under the loudest band counts as 60 dB under it', () => {
  const features = featuresOf((row, band) => (band < 8 ? (row % 50 < 25 ? -10 : -110) : -110));
  assert.ok(Math.abs(features.get('fine 0 top')! - 60) < 1);
  assert.equal(features.get('fine 5 mean'), 0);
});
