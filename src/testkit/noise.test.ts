import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noise } from './noise.ts';

test('noise has its level and is the same for the same seed', () => {
  const samples = noise({ samples: 80_000, seed: 1, levelDbov: -20 });
  let energy = 0;
  for (const sample of samples) energy += sample ** 2;
  const levelDbov = 10 * Math.log10(energy / samples.length / 32_768 ** 2);
  assert.ok(Math.abs(levelDbov + 20) < 0.1, `${levelDbov}`);
  assert.deepEqual(noise({ samples: 100, seed: 1 }), noise({ samples: 100, seed: 1 }));
  assert.notDeepEqual(noise({ samples: 100, seed: 1 }), noise({ samples: 100, seed: 2 }));
});
