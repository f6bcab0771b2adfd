import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createL16Decoder, createL16Encoder } from './l16.ts';

test('RFC 3551 section 4.5.11: the most significant byte comes first, and every sample comes back', () => {
  const samples = Int16Array.of(0, 1, -1, 0x1234, -32_768, 32_767);
  const payload = new Uint8Array(12);
  assert.equal(createL16Encoder(8000).encode(samples, payload), 12);
  assert.deepEqual([...payload.subarray(6, 8)], [0x12, 0x34]);
  const out = new Int16Array(6);
  assert.equal(createL16Decoder(8000).decode(payload, out), 6);
  assert.deepEqual(out, samples);
});

test('half a sample at the end is left out', () => {
  assert.equal(createL16Decoder(8000).decode(Uint8Array.of(1, 2, 3), new Int16Array(2)), 1);
});
