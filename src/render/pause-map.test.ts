import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tone } from '../audio/tone.ts';
import { maskTone, PauseMap } from './pause-map.ts';
import type { PauseView } from './track-source.ts';

const recording = { fromSample: 100, toSample: 1100 };
const pauses: PauseView[] = [
  { fromSample: 50, toSample: 150, behaviour: 'skip' },
  { fromSample: 300, toSample: 400, behaviour: 'silence' },
  { fromSample: 500, toSample: 600, behaviour: 'skip' },
  { fromSample: 600, toSample: 650, behaviour: 'skip' },
  { fromSample: 1000, toSample: undefined, behaviour: 'skip' },
];

test('skip cuts out, silence keeps; a pause that was not resumed lasts to the end', () => {
  const map = new PauseMap(recording, pauses);
  assert.equal(map.fileSamples, 1000 - 50 - 100 - 50 - 100);
  assert.deepEqual(map.spansOf(0, map.fileSamples), [
    { fromSample: 150, toSample: 500 },
    { fromSample: 650, toSample: 1000 },
  ]);
  assert.deepEqual(map.spansOf(340, 360), [
    { fromSample: 490, toSample: 500 },
    { fromSample: 650, toSample: 660 },
  ]);
  assert.deepEqual(map.spansOf(10, 10), []);
});

test('both axes agree at every sample', () => {
  const map = new PauseMap(recording, pauses);
  for (let file = 0; file < map.fileSamples; file += 1) {
    const [span] = map.spansOf(file, file + 1);
    assert.equal(map.fileSampleOf(span?.fromSample ?? -1), file);
  }
  assert.equal(map.fileSampleOf(550), 350, 'the cut');
  assert.equal(map.fileSampleOf(0), 0);
  assert.equal(map.fileSampleOf(5000), map.fileSamples);
});

test('paused samples are cleared, the others untouched', () => {
  const map = new PauseMap(recording, pauses);
  for (const [at, length] of [
    [100, 1000],
    [290, 20],
    [390, 20],
    [310, 20],
    [700, 20],
  ] as const) {
    const out = new Int16Array(length).fill(7);
    map.silence(out, at);
    for (const [index, sample] of out.entries()) {
      const k = at + index;
      const paused = k < 150 || (k >= 300 && k < 400) || (k >= 500 && k < 650) || k >= 1000;
      assert.equal(sample, paused ? 0 : 7, `sample ${k}`);
    }
  }
});

test('what is masked is a tone that begins with the pause, the same on every channel and in every part', () => {
  const map = new PauseMap(recording, [
    { fromSample: 300, toSample: 400, behaviour: 'mask' },
    { fromSample: 500, toSample: 600, behaviour: 'silence' },
  ]);
  const whole = new Int16Array(2000).fill(7);
  map.cover(whole, 100, 8000, 2);
  const expected = tone({ rateHz: 8000, ...maskTone }, 100);
  for (let k = 100; k < 1100; k++) {
    const wanted = k >= 300 && k < 400 ? expected[k - 300] : k >= 500 && k < 600 ? 0 : 7;
    assert.deepEqual([whole[2 * (k - 100)], whole[2 * (k - 100) + 1]], [wanted, wanted], `sample ${k}`);
  }
  const part = new Int16Array(30).fill(7);
  map.cover(part, 390, 8000);
  assert.deepEqual(part.subarray(0, 10), expected.subarray(90));
  assert.ok(part.subarray(10).every((sample) => sample === 7));
});

test('no pauses: everything; an empty recording: nothing', () => {
  assert.deepEqual(new PauseMap(recording, []).spansOf(0, 1000), [recording]);
  assert.equal(new PauseMap({ fromSample: 5, toSample: 5 }, pauses).fileSamples, 0);
});
