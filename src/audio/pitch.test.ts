import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pitchLag } from './pitch.ts';

const search = { minLag: 40, maxLag: 120, windowSamples: 160, decimation: 2 };

function periodic(samples: number, period: number): Int16Array {
  return Int16Array.from({ length: samples }, (_, n) => {
    const phase = (2 * Math.PI * n) / period;
    return Math.round(8000 * (Math.sin(phase) + 0.6 * Math.sin(2 * phase + 1) + 0.4 * Math.sin(5 * phase)));
  });
}

test('the period, where it lies within the bounds; a multiple, where it is shorter', () => {
  for (const period of [61, 64, 77, 80, 119]) assert.equal(pitchLag(periodic(400, period), search), period);
  for (const period of [20, 25, 33]) assert.equal(pitchLag(periodic(400, period), search) % period, 0);
});

test('only the end counts', () => {
  const signal = periodic(600, 90);
  signal.set(periodic(300, 55));
  assert.equal(pitchLag(signal, search), 90);
});

test('silence and noise give a lag within the bounds', () => {
  const noise = Int16Array.from({ length: 400 }, (_, n) => ((n * n * 7919) % 2001) - 1000);
  for (const signal of [new Int16Array(400), noise]) {
    const lag = pitchLag(signal, search);
    assert.ok(lag >= 40 && lag <= 120, `${lag}`);
  }
});
