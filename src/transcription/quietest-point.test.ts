import assert from 'node:assert/strict';
import { test } from 'node:test';
import { quietestPoint } from './quietest-point.ts';
import { noise } from './test-noise.ts';

const rateHz = 16_000;

test('It finds a pause, however short, and stays in the middle of it', () => {
  const samples = noise({ samples: 3 * rateHz, seed: 1 });
  samples.fill(0, 20_000, 20_800);
  const at = quietestPoint(samples, rateHz, 10_000, 40_000);
  assert.ok(at >= 20_240 && at <= 20_560, String(at));
});

test('It looks nowhere but where it is told to', () => {
  const samples = noise({ samples: 3 * rateHz, seed: 2 });
  samples.fill(0, 5000, 6000);
  for (const [from, to] of [
    [10_000, 40_000],
    [10_000, 10_100],
    [47_000, 48_000],
  ] as const) {
    const at = quietestPoint(samples, rateHz, from, to);
    assert.ok(at >= from && at < to, `${at} in ${from}..${to}`);
  }
});

test('Silence is cut in its middle', () => {
  const at = quietestPoint(new Int16Array(rateHz), rateHz, 0, rateHz);
  assert.ok(Math.abs(at - rateHz / 2) < rateHz / 100, String(at));
});
