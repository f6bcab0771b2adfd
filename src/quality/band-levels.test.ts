import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dbovToRms } from '../audio/level.ts';
import { bandCount, bandLevels, fineBandCount, leastDbov, rowLength, stepsPerDb } from './band-levels.ts';
import { Fft } from './fft.ts';
import { randomOf } from './test-random.ts';

function levelsOf(samples: Int16Array): { rows: number[][]; fineRows: number[][] } {
  const { rows, count, fineRows, fineCount } = bandLevels(samples);
  const split = (bytes: Uint8Array, length: number, each: number) =>
    Array.from({ length }, (_, row) => [...bytes.subarray(row * each, (row + 1) * each)]);
  return { rows: split(rows, count, rowLength), fineRows: split(fineRows, fineCount, fineBandCount) };
}

const rowsOf = (samples: Int16Array): number[][] => levelsOf(samples).rows;

const dbov = (step: number): number => leastDbov + step / stepsPerDb;
const sine = (hz: number, levelDbov: number): Int16Array =>
  Int16Array.from({ length: 4000 }, (_, i) =>
    Math.round(Math.SQRT2 * dbovToRms(levelDbov) * Math.sin((2 * Math.PI * hz * i) / 8000)),
  );

for (const [hz, band] of [
  [80, 0],
  [200, 1],
  [600, 3],
  [1250, 5],
  [3200, 8],
] as const) {
  test(`a tone of ${hz} Hz is in band ${band}, at its level`, () => {
    for (const levelDbov of [-10, -37]) {
      const row = rowsOf(sine(hz, levelDbov))[20]!;
      assert.equal(row.length, rowLength);
      assert.ok(Math.abs(dbov(row[bandCount]!) - levelDbov) < 1.1, `${dbov(row[bandCount]!)}`);
      assert.equal(row.slice(0, bandCount).indexOf(Math.max(...row.slice(0, bandCount))), band);
      // Its window leaks into the neighbours, not beyond them.
      for (let other = 0; other < bandCount; other++)
        if (Math.abs(other - band) > 1) assert.ok(dbov(row[other]!) < levelDbov - 35, `band ${other}`);
    }
  });
}

test('a row each 10 ms, from the first 32 ms on', () => {
  for (const samples of [0, 255, 256, 335, 336, 8000, 80_000]) {
    const { rows, fineRows } = levelsOf(new Int16Array(samples));
    assert.equal(rows.length, samples < 256 ? 0 : Math.floor((samples - 256) / 80) + 1);
    assert.equal(fineRows.length, Math.ceil(rows.length / 2));
    assert.ok(rows.flat().every((step) => step === 0));
  }
});

test('each level is that of the sum that a transform stands for', () => {
  const random = randomOf(1);
  const samples = Int16Array.from({ length: 1300 }, () => 20_000 * (random() - 0.5) ** 5);
  const bordersHz = [31, 125, 312, 500, 750, 1062, 1469, 2000, 2719, 3719];
  const edges = bordersHz.map((hz) => Math.round(hz / 31.25));
  const { rows, fineRows } = levelsOf(samples);
  for (const [index, row] of rows.entries()) {
    const powers = powersOf(samples.subarray(80 * index, 80 * index + 256));
    const between = (from: number, to: number) =>
      dbovOf(powers.slice(from, to).reduce((sum, each) => sum + each, 0));
    const wanted = [...edges.slice(1).map((to, band) => between(edges[band]!, to)), between(1, 119)];
    for (const [band, level] of wanted.entries()) assertStep(row[band]!, level);
    if (index % 2 === 0)
      for (const [band, step] of fineRows[index / 2]!.entries())
        assertStep(step, between(4 + 2 * band, 6 + 2 * band));
  }
});

/** Of each bin of a frame, both halves of its spectrum together, as a share of full scale. */
function powersOf(frame: Int16Array): number[] {
  const weights = Array.from(frame, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 0.5)) / 256));
  const energy = weights.reduce((sum, weight) => sum + weight * weight, 0);
  const fft = new Fft(256);
  const real = Float64Array.from(frame, (sample, i) => (sample / 32_768) * weights[i]!);
  const imaginary = new Float64Array(256);
  fft.transform(real, imaginary);
  return Array.from({ length: 128 }, (_, k) => (2 * (real[k]! ** 2 + imaginary[k]! ** 2)) / (256 * energy));
}

function dbovOf(power: number): number {
  return 10 * Math.log10(power + 1e-13);
}

/** The nearest, or one that is as near to a thousandth of a decibel. */
function assertStep(step: number, level: number): void {
  assert.ok(Math.abs(dbov(step) - Math.max(level, leastDbov)) <= 0.25 + 1e-3, `${dbov(step)} for ${level}`);
}

test('a tone between the bins of a narrow band is in it, at its level, and nearly nowhere else', () => {
  for (const band of [0, 7, fineBandCount - 1]) {
    const row = levelsOf(sine(125 + 62.5 * band + 15.625, -20)).fineRows[10]!;
    assert.equal(row.length, fineBandCount);
    assert.ok(Math.abs(dbov(row[band]!) + 20) < 1.5, `${dbov(row[band]!)}`);
    for (let other = 0; other < fineBandCount; other++)
      if (Math.abs(other - band) > 1) assert.ok(dbov(row[other]!) < -50, `band ${other}`);
  }
});
