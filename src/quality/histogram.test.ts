import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Histogram } from './histogram.ts';

test('percentiles lie between the borders of their step', () => {
  const histogram = new Histogram(new Float64Array(50), -10, 10);
  for (let i = 0; i < 1000; i++) histogram.add(-10 + (20 * (i + 0.5)) / 1000);
  for (const percent of [1, 10, 33, 50, 99])
    assert.ok(Math.abs(histogram.percentile(percent, 0) - (-10 + percent / 5)) < 0.05, `${percent}`);
  assert.equal(histogram.total, 1000);
});

test('several at once are what each is by itself', () => {
  const percents = [0, 0.5, 2, 20, 50, 51, 98, 100];
  for (const values of [
    [],
    [1, 2, 3],
    [-3, -3, -3, 8, 8, 8],
    Array.from({ length: 997 }, (_, i) => ((i * i) % 19) - 9),
  ]) {
    const histogram = new Histogram(new Float64Array(40), -10, 10);
    for (const value of values) histogram.add(value);
    const out = new Float64Array(percents.length);
    histogram.percentiles(percents, 77, histogram.total, out);
    assert.deepEqual(
      [...out],
      percents.map((percent) => histogram.percentile(percent, 77)),
    );
  }
});

test('what lies beyond counts at the border', () => {
  const histogram = new Histogram(new Float64Array(10), 0, 10);
  for (let i = 0; i < 10; i++) histogram.add(i < 5 ? -1e9 : 1e9);
  assert.ok(histogram.percentile(40, -1) <= 1);
  assert.ok(histogram.percentile(60, -1) >= 9);
});

test('of fewer than five values it tells nothing', () => {
  const histogram = new Histogram(new Float64Array(10), 0, 10);
  for (let i = 0; i < 4; i++) histogram.add(3);
  assert.equal(histogram.percentile(50, 77), 77);
  histogram.add(3);
  assert.ok(histogram.percentile(50, 77) < 4);
});
