import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dbovToRms, rmsDbov, silenceDbov } from '../audio/level.ts';
import { activeSpeechDbov, scaled, speechFrames } from './active-speech.ts';
import { noise } from './noise.ts';
import { speech, speechNames } from './speech.ts';

const rateHz = 8000;

test('what never pauses has the level of its power', () => {
  const samples = noise({ samples: 5 * rateHz, seed: 1, levelDbov: -26 });
  assert.ok(Math.abs(activeSpeechDbov(samples, rateHz) - rmsDbov(samples)) < 0.1);
});

test('long pauses are no part of the active level', () => {
  const samples = new Int16Array(10 * rateHz);
  samples.set(noise({ samples: 5 * rateHz, seed: 1, levelDbov: -26 }), 2 * rateHz);
  assert.ok(Math.abs(rmsDbov(samples) + 29) < 0.1);
  assert.ok(Math.abs(activeSpeechDbov(samples, rateHz) + 26) < 0.3);
});

test('digital silence has none', () => {
  assert.equal(activeSpeechDbov(new Int16Array(rateHz), rateHz), silenceDbov);
});

test('a gain moves the active level by as much', async () => {
  for (const name of speechNames) {
    const samples = await speech(name);
    const difference = activeSpeechDbov(scaled(samples, -10), rateHz) - activeSpeechDbov(samples, rateHz);
    assert.ok(Math.abs(difference + 10) < 0.2, `${name}: ${difference} dB`);
  }
});

test('gain clips where it must', () => {
  assert.deepEqual([...scaled(Int16Array.of(20_000, -20_000, 100), 20)], [32_767, -32_768, 1000]);
});

test('frames are speech down to the margin under the level', () => {
  const frame = rateHz / 100;
  const at = (levelDbov: number) => new Int16Array(4 * frame).fill(dbovToRms(levelDbov));
  assert.deepEqual(speechFrames(at(-41.5), rateHz, -26), [true, true, true, true]);
  assert.deepEqual(speechFrames(at(-42.3), rateHz, -26), [false, false, false, false]);
});
