import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EnvelopeStatistics } from './envelope-statistics.ts';
import { randomOf } from './test-random.ts';

function featuresOf(...envelopes: number[][]): (name: string) => number {
  const statistics = new EnvelopeStatistics(new Float64Array(EnvelopeStatistics.stateLength));
  for (const envelope of envelopes) statistics.add(Float64Array.from(envelope));
  const features = new Map<string, number>();
  statistics.features((name, value) => features.set(name, value), 'x');
  return (name) => features.get(`x ${name}`)!;
}

/** A sound every second, which falls by 60 dB in so many seconds; dB above the noise. */
const falling = (rt60Seconds: number): number[] =>
  Array.from({ length: 500 }, (_, row) => Math.max(0, 40 - ((row % 50) * 60) / (50 * rt60Seconds)));

test('the longer the room, the longer an envelope is like itself', () => {
  const said = [0.2, 0.4, 0.8].map((rt60Seconds) => featuresOf(falling(rt60Seconds)));
  for (const lag of [4, 8])
    for (let i = 1; i < said.length; i++)
      assert.ok(said[i]!(`alike ${lag}`) > said[i - 1]!(`alike ${lag}`), `${lag} of ${i}`);
});

test('falls that take longer than rises are told from their mirror image, and from what is even', () => {
  const forth = featuresOf(falling(0.6));
  const back = featuresOf(falling(0.6).reverse());
  for (const lag of [1, 4, 16]) {
    const asymmetry = forth(`asymmetry ${lag}`);
    assert.ok(Math.abs(asymmetry) > 0.01, `${lag}: ${asymmetry}`);
    assert.ok(Math.abs(asymmetry + back(`asymmetry ${lag}`)) < 1e-9);
    assert.ok(Math.abs(forth('alike 8') - back('alike 8')) < 1e-9);
  }
  const even = featuresOf(
    Array.from({ length: 500 }, (_, row) => 10 + 10 * Math.sin((2 * Math.PI * row) / 50)),
  );
  assert.ok(Math.abs(even('asymmetry 4')) < 0.02);
});

test('noise is like itself no longer than a frame, whatever its level', () => {
  const random = randomOf(3);
  const features = featuresOf(Array.from({ length: 5000 }, () => 6 * random()));
  assert.ok(Math.abs(features('alike')) < 0.05);
  assert.ok(Math.abs(features('spread') - 6 / Math.sqrt(12)) < 0.05);
});

test('of nothing, numbers still', () => {
  for (const features of [featuresOf(), featuresOf(Array.from({ length: 500 }, () => 7))])
    for (const name of ['spread', 'alike', 'alike 8', 'asymmetry 4'])
      assert.ok(Math.abs(features(name)) < 1e-6);
});
