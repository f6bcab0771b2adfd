import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DriftFilter } from './drift-filter.ts';
import { randomOf } from './test-random.ts';

const noiseUs = 1000;

/** Measured every second; `distanceUs` is what there is to measure. */
function measured(seconds: number, distanceUs: (second: number) => number, filter = new DriftFilter()) {
  for (let second = 0; second < seconds; second++) {
    filter.measure(distanceUs(second), noiseUs);
    filter.advance(1, 0);
  }
  return filter;
}

test('drift and offset come out of the distance, whatever its constant part', () => {
  for (const ppm of [-300, 0, 80])
    for (const constantUs of [0, -1e12, 3e9]) {
      const { driftPpm, offsetUs, driftDeviationPpm } = measured(
        600,
        (at) => constantUs + ppm * at,
      ).estimate();
      assert.ok(Math.abs(driftPpm - ppm) < 0.1);
      assert.ok(Math.abs(offsetUs - ppm * 600) < 100);
      assert.ok(driftDeviationPpm < 2);
    }
});

test('it is wrong by no more than it says', () => {
  const random = randomOf(2);
  let beyond = 0;
  for (let run = 0; run < 200; run++) {
    const ppm = 200 * (random() + random() + random() - 1.5);
    const gauss = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    const { driftPpm, driftDeviationPpm, offsetUs, offsetDeviationUs } = measured(
      60,
      (at) => ppm * at + noiseUs * gauss(),
    ).estimate();
    if (Math.abs(driftPpm - ppm) > 2 * driftDeviationPpm) beyond++;
    if (Math.abs(offsetUs - 60 * ppm) > 2 * offsetDeviationUs) beyond++;
  }
  assert.ok(beyond > 5 && beyond < 50, `${beyond} of 400 beyond two standard deviations`);
});

test('another way, any number of times, leaves drift and offset as they are', () => {
  const ways = (second: number): number =>
    Math.floor(second / 100) * 50_000 * (Math.floor(second / 200) % 2 ? -1 : 1);
  const { driftPpm, offsetUs } = measured(1000, (at) => 100 * at + ways(at)).estimate();
  assert.ok(Math.abs(driftPpm - 100) < 0.5);
  assert.ok(Math.abs(offsetUs - 100_000) < 1000);
});

test('what is corrected is no offset any more', () => {
  const filter = new DriftFilter();
  for (let second = 0; second < 300; second++) {
    filter.measure(100 * second, noiseUs);
    filter.advance(1, second < 100 ? 0 : 150);
  }
  assert.ok(Math.abs(filter.estimate().offsetUs) < 50);
  filter.advance(10, 0);
  filter.clearOffset();
  const { offsetUs, offsetDeviationUs, driftPpm } = filter.estimate();
  assert.deepEqual([offsetUs, offsetDeviationUs], [0, 0]);
  assert.ok(Math.abs(driftPpm - 100) < 1, 'the drift is still known');
});

test('what another knows of the drift tells of the offset, too', () => {
  const filter = measured(10, (second) => 100 * second + (second % 2 ? 700 : -700));
  const alone = filter.estimate();
  const told = filter.estimate({ driftPpm: 100, deviationPpm: 5 });
  assert.ok(told.driftDeviationPpm < 5 && alone.driftDeviationPpm > 50);
  assert.ok(told.offsetDeviationUs < alone.offsetDeviationUs / 2);
  assert.ok(Math.abs(told.offsetUs - 1000) < Math.max(200, Math.abs(alone.offsetUs - 1000)));
  assert.deepEqual(filter.estimate(), alone, 'asking changes nothing');
});
