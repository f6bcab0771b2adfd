import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blockSamples, SpeechStatistics } from './speech-statistics.ts';

/** Bursts over silence that a generator of numbers makes. */
function bursts(seed: number): Int16Array {
  let state = seed;
  return Int16Array.from({ length: blockSamples }, (_, i) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return Math.floor(i / 3000) % 2 === 0 ? state >> 18 : state >> 26;
  });
}

function featuresOf(statistics: SpeechStatistics): Map<string, number> {
  const features = new Map<string, number>();
  statistics.features((name, value) => features.set(name, value));
  return features;
}

function add(statistics: SpeechStatistics, seed: number): void {
  assert.ok(statistics.addBlock(bursts(seed), 0, blockSamples));
}

test('a copy and what it was made of go their own ways', () => {
  const one = new SpeechStatistics();
  // Two, so that there is room for the next one where they are.
  add(one, 1);
  add(one, 2);
  const atFirst = featuresOf(one);
  const copy = one.copy();
  add(one, 3);
  assert.deepEqual(featuresOf(copy), atFirst);
  const further = featuresOf(one);
  assert.notDeepEqual(further, atFirst);
  add(copy, 4);
  assert.deepEqual(featuresOf(one), further);
  assert.notDeepEqual(featuresOf(copy), further);
});
