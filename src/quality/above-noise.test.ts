import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noiseLevel, topLevel } from './above-noise.ts';
import { leastDbov, stepsPerDb } from './band-levels.ts';
import { randomOf } from './test-random.ts';

const stepOf = (dbov: number): number => Math.round((dbov - leastDbov) * stepsPerDb);

/** 10 s of speech at -20 dBov, half a second in each, over noise whose power swings as that of a narrow band does. */
function speechOver(noiseDbov: number): Uint8Array {
  const random = randomOf(1);
  return Uint8Array.from({ length: 500 }, (_, row) => {
    const noise = 10 ** (noiseDbov / 10) * -Math.log(1 - random());
    const speech = row % 50 < 25 ? 10 ** (-20 / 10) : 0;
    return stepOf(10 * Math.log10(noise + speech + 1e-13));
  });
}

test('the noise is found under the speech', () => {
  for (const noiseDbov of [-90, -60, -35])
    assert.ok(Math.abs(noiseLevel(speechOver(noiseDbov)) - noiseDbov) < 3, `${noiseDbov}`);
  assert.equal(Math.round(noiseLevel(new Uint8Array(500))), leastDbov);
});

test('the top is what the loudest reaches', () => {
  assert.ok(Math.abs(topLevel(speechOver(-60)) + 20) < 0.6);
  assert.equal(topLevel(new Uint8Array(500).fill(100)), leastDbov + 50);
  assert.equal(topLevel(Uint8Array.from({ length: 100 }, (_, i) => i)), leastDbov + 96 / stepsPerDb);
});
