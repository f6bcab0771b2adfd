import assert from 'node:assert/strict';
import { test } from 'node:test';
import { amplified } from './gain.ts';

const samples = Int16Array.of(0, 1000, -1000, 30_000, -30_000);

test('6 dB are about twice as loud, and clip', () =>
  assert.deepEqual([...amplified(samples, 6.0206)], [0, 2000, -2000, 32_767, -32_768]));

test('-20 dB are a tenth', () => assert.deepEqual([...amplified(samples, -20)], [0, 100, -100, 3000, -3000]));

test('the samples themselves are never touched', () => {
  amplified(samples, 6);
  assert.equal(samples[1], 1000);
  assert.equal(amplified(samples, 0), samples);
});
