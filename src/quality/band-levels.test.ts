import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dbovToRms } from '../audio/level.ts';
import { BandLevels, bandCount, fineBandCount, leastDbov, rowLength, stepsPerDb } from './band-levels.ts';
import { randomOf } from './test-random.ts';

function levelsOf(samples: Int16Array, chunk = samples.length): { rows: number[][]; fineRows: number[][] } {
  const rows: number[][] = [];
  const fineRows: number[][] = [];
  const levels = new BandLevels({
    row: (row) => rows.push([...row]),
    fineRow: (row) => fineRows.push([...row]),
  });
  for (let at = 0; at < samples.length; at += chunk)
    levels.push(samples, at, Math.min(samples.length, at + chunk));
  return { rows, fineRows };
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

test('a row each 10 ms, from the first 32 ms on, however the samples come', () => {
  const random = randomOf(1);
  const samples = Int16Array.from({ length: 8000 }, () => 20_000 * (random() - 0.5));
  const levels = levelsOf(samples);
  assert.equal(levels.rows.length, Math.floor((8000 - 256) / 80) + 1);
  assert.equal(levels.fineRows.length, Math.ceil(levels.rows.length / 2));
  assert.deepEqual(levelsOf(samples, 1), levels);
  assert.deepEqual(levelsOf(samples, 173), levels);
});

test('a tone between the bins of a narrow band is in it, at its level, and nearly nowhere else', () => {
  for (const band of [0, 7, fineBandCount - 1]) {
    const row = levelsOf(sine(125 + 62.5 * band + 15.625, -20)).fineRows[10]!;
    assert.equal(row.length, fineBandCount);
    assert.ok(Math.abs(dbov(row[band]!) + 20) < 1.5, `${dbov(row[band]!)}`);
    for (let other = 0; other < fineBandCount; other++)
      if (Math.abs(other - band) > 1) assert.ok(dbov(row[other]!) < -50, `band ${other}`);
  }
});

test('after a restart nothing of before is left', () => {
  const rows: number[][] = [];
  const levels = new BandLevels({ row: (row) => rows.push([...row]), fineRow: () => {} });
  levels.push(sine(1000, -10), 0, 1000);
  const before = rows.length;
  levels.restart();
  levels.push(new Int16Array(255), 0, 255);
  assert.equal(rows.length, before);
  levels.push(new Int16Array(1), 0, 1);
  assert.ok(dbov(rows.at(-1)![bandCount]!) < -115);
});
