import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dbovToRms, peak, rmsDbov, silenceDbov } from './level.ts';

const near = (actual: number, expected: number): void =>
  assert.ok(Math.abs(actual - expected) < 0.005, `${actual} is not ${expected}`);

test('full-scale square wave, half scale, and full-scale sine', () => {
  near(rmsDbov(new Int16Array(100).fill(-32_768)), 0);
  near(rmsDbov(new Int16Array(100).fill(16_384)), -6.02);
  const sine = Int16Array.from({ length: 8000 }, (_, i) =>
    Math.round(32_767 * Math.sin((2 * Math.PI * i) / 80)),
  );
  near(rmsDbov(sine), -3.01);
});

test('silence has the floor level, and so has nothing at all', () => {
  assert.equal(rmsDbov(new Int16Array(100)), silenceDbov);
  assert.equal(rmsDbov(new Int16Array(0)), silenceDbov);
});

test('only the asked range counts', () => {
  const samples = Int16Array.of(30_000, 0, 0, -32_768);
  assert.equal(rmsDbov(samples, 1, 3), silenceDbov);
  assert.equal(peak(samples, 1, 3), 0);
  assert.equal(peak(samples), 32_768);
  assert.equal(peak(new Int16Array(0)), 0);
});

test('level to RMS and back', () => {
  for (const levelDbov of [0, -10, -26, -60]) {
    near(20 * Math.log10(dbovToRms(levelDbov) / 32_768), levelDbov);
  }
});
