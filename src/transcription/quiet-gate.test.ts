import assert from 'node:assert/strict';
import { test } from 'node:test';
import { QuietGate } from './quiet-gate.ts';
import { windowSamples } from './speech-segmenter.ts';
import { noise } from './test-noise.ts';

const quiet = noise({ samples: windowSamples, seed: 1, levelDbov: -70 });
const loud = noise({ samples: windowSamples, seed: 2, levelDbov: -50 });

test('A second of quiet closes it; what comes is passed with what was before', () => {
  const gate = new QuietGate();
  const passed = Array.from({ length: 100 }, () => gate.pass(quiet, false).length);
  assert.deepEqual([passed.indexOf(0), passed.lastIndexOf(1)], [31, 30]);
  assert.equal(gate.pass(loud, false).length, 9);
  assert.equal(gate.pass(quiet, false).length, 1);
});

test('It stays open while somebody speaks, however softly', () => {
  const gate = new QuietGate();
  for (let i = 0; i < 100; i++) assert.equal(gate.pass(quiet, true).length, 1);
});
