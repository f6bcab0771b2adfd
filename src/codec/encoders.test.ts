import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CallreelError } from '../errors.ts';
import type { CodecName } from './codec.ts';
import { createDecoder } from './decoders.ts';
import { createEncoder } from './encoders.ts';

test('each codec encodes 20 ms at its natural rate, and its decoder gives the tone back', () => {
  for (const [codec, clockRateHz, rateHz, mostBytes] of [
    ['PCMU', 8000, 8000, 160],
    ['PCMA', 8000, 8000, 160],
    ['G722', 8000, 16_000, 160],
    ['OPUS', 48_000, 48_000, 400],
  ] as const) {
    const encoder = createEncoder(codec, clockRateHz);
    assert.equal(encoder.rateHz, rateHz);
    const decoder = createDecoder(codec, clockRateHz, rateHz);
    const samples = rateHz / 50;
    const payload = new Uint8Array(1500);
    const out = new Int16Array(samples);
    let crossings = 0;
    let last = 0;
    for (let k = 0; k < 100; k++) {
      const frame = Int16Array.from({ length: samples }, (_, i) =>
        Math.round(8000 * Math.sin((2 * Math.PI * 500 * (k * samples + i)) / rateHz)),
      );
      const bytes = encoder.encode(frame, payload);
      assert.ok(bytes > 0 && bytes <= mostBytes, `${codec} ${bytes}`);
      assert.equal(decoder.decode(payload.subarray(0, bytes), out), samples);
      for (const sample of out) {
        if (k >= 50 && last < 0 && sample >= 0) crossings++;
        last = sample;
      }
    }
    assert.ok(Math.abs(crossings - 500) <= 1, `${codec}: ${crossings}`);
  }
});

test('Opus takes samples of the rate asked for', () => {
  for (const rateHz of [8000, 16_000, 48_000]) {
    const encoder = createEncoder('OPUS', 48_000, { rateHz, maxAverageBitrate: 16_000 });
    assert.equal(encoder.rateHz, rateHz);
    assert.ok(encoder.encode(new Int16Array(rateHz / 50), new Uint8Array(400)) > 0);
  }
});

test('a codec, or a clock rate it does not have, is refused', () => {
  for (const [codec, clockRateHz] of [
    ['PCMU', 44_100],
    ['G722', 16_000],
    ['OPUS', 8000],
    ['SPEEX', 8000],
  ] as const)
    assert.throws(
      () => createEncoder(codec as CodecName, clockRateHz),
      (error) => error instanceof CallreelError && error.code === 'CODEC_UNSUPPORTED',
    );
});
