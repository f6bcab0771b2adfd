import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SlopeStatistics } from './slope-statistics.ts';
import { randomOf } from './test-random.ts';

function featuresOf(...blocks: number[][]): Map<string, number> {
  const statistics = new SlopeStatistics(new Float64Array(SlopeStatistics.stateLength));
  for (const block of blocks) statistics.add(Float64Array.from(block));
  const features = new Map<string, number>();
  statistics.features((name, value) => features.set(name, value), 'x');
  return features;
}

/** dB a second. */
const slope = (compressed: number): number => Math.sign(compressed) * 20 * Math.expm1(Math.abs(compressed));
const line = (length: number, from: number, dbPerSecond: number): number[] =>
  Array.from({ length }, (_, i) => from + (dbPerSecond * i) / 100);

test('a straight fall has its slope over every span', () => {
  for (const dbPerSecond of [-20, -60, -150])
    for (const span of [5, 10, 20]) {
      const said = slope(featuresOf(line(30, 0, dbPerSecond)).get(`x slope ${span} 50`)!);
      assert.ok(Math.abs(said / dbPerSecond - 1) < 0.2, `${said} for ${dbPerSecond}`);
    }
});

test('falls and rises are summed apart', () => {
  const features = featuresOf(line(100, 0, -20), line(100, -20, 10));
  const rms = (name: string): number => 20 * Math.expm1(features.get(name)!);
  assert.ok(Math.abs(rms('x falling 40') - 20) < 0.5);
  assert.ok(Math.abs(rms('x rising 40') - 10) < 0.5);
});

test('the slope is that of the line of least squares', () => {
  const random = randomOf(4);
  const levels = Array.from({ length: 400 }, () => -20 * random());
  const wanted: number[] = [];
  for (let i = 0; i + 20 <= levels.length; i++) {
    let top = 0;
    let bottom = 0;
    for (let j = 0; j < 20; j++) {
      top += (j - 9.5) * levels[i + j]!;
      bottom += (j - 9.5) ** 2;
    }
    wanted.push((100 * top) / bottom);
  }
  const falling = wanted.filter((each) => each < 0);
  const rms = Math.sqrt(falling.reduce((sum, each) => sum + each * each, 0) / (falling.length + 1));
  assert.ok(Math.abs(20 * Math.expm1(featuresOf(levels).get('x falling 20')!) - rms) < 1e-6);
});

test('what lies deep under the top is no speech', () => {
  assert.equal(featuresOf(line(200, -40, -1)).get('x falling 10'), 0);
});
