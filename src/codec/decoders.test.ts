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

test('G.722 gives 16 kHz whatever its RTP clock says (RFC 3551 section 4.5.2)', () => {
  const decoder = createDecoder('G722', 8000, 8000);
  assert.equal(decoder.rateHz, 16_000);
  assert.equal(decoder.decode(new Uint8Array(160), new Int16Array(960)), 320);
});

test('an unknown codec is refused', () => {
  assert.throws(
    () => createDecoder('SPEEX' as CodecName, 8000, 8000),
    (error) => error instanceof CallreelError && error.code === 'CODEC_UNSUPPORTED',
  );
});
