import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CallreelError } from '../errors.ts';
import type { CodecName } from './codec.ts';
import { createDecoder } from './decoders.ts';

test('each codec decodes one packet to its rate', () => {
  const out = new Int16Array(960);
  const ulaw = createDecoder('PCMU', 8000, 16_000);
  assert.equal(ulaw.rateHz, 8000);
  assert.equal(ulaw.decode(Uint8Array.of(0x80), out), 1);
  assert.equal(out[0], 32_124);
  const alaw = createDecoder('PCMA', 16_000, 8000);
  assert.equal(alaw.rateHz, 16_000);
  assert.equal(alaw.decode(Uint8Array.of(0xaa), out), 1);
  assert.equal(out[0], 32_256);
  // A one-byte packet: table of contents only, 20 ms of silence (SILK, narrowband).
  const opus = createDecoder('OPUS', 48_000, 16_000);
  assert.equal(opus.rateHz, 16_000);
  assert.equal(opus.decode(Uint8Array.of(0x08), out), 320);
});

test('a codec without a decoder says so', () => {
  for (const codec of ['G722', 'SPEEX' as CodecName] as const)
    assert.throws(
      () => createDecoder(codec, 8000, 8000),
      (error) => error instanceof CallreelError && error.code === 'CODEC_UNSUPPORTED',
    );
});
