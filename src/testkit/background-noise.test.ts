import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { rmsDbov } from '../audio/level.ts';
import { backgroundNoise, backgroundNoises, mixed } from './background-noise.ts';
import { speech, speechNames } from './speech.ts';
import { toneLevelDbov } from './tone-level.ts';

const rateHz = 8000;
let talkers: Int16Array[] = [];

before(async () => {
  talkers = await Promise.all(speechNames.map((name) => speech(name)));
});

test('each kind has the level asked for and is repeatable', () => {
  for (const name of backgroundNoises) {
    const options = { samples: 20 * rateHz, rateHz, levelDbov: -50, talkers };
    const samples = backgroundNoise(name, options);
    assert.equal(samples.length, options.samples);
    assert.ok(Math.abs(rmsDbov(samples) + 50) < 0.3, `${name}: ${rmsDbov(samples)} dBov`);
    assert.deepEqual(backgroundNoise(name, options), samples, name);
  }
});

test('only hum has a tone of the mains', () => {
  for (const name of backgroundNoises) {
    const samples = backgroundNoise(name, { samples: rateHz, rateHz, levelDbov: -30, talkers });
    const toneDbov = toneLevelDbov(samples, rateHz, 50);
    assert.equal(toneDbov > -36, name === 'hum', `${name}: ${toneDbov} dBov`);
  }
});

test('a mix clips where it must', () => {
  const sum = mixed(Int16Array.of(30_000, -30_000, 5, 7), Int16Array.of(30_000, -30_000, 5));
  assert.deepEqual([...sum], [32_767, -32_768, 10, 7]);
});
