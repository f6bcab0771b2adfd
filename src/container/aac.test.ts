import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CallreelError } from '../errors.ts';
import {
  AacEncoder,
  type AacShape,
  aacConfig,
  aacFrames,
  defaultAacBitRateKbps,
  maxAacBytes,
} from './aac.ts';
import { testTones } from './test-signal.ts';

const shapes = ([8000, 16_000, 48_000] as const).flatMap((rateHz) =>
  ([1, 2] as const).map(
    (channels): AacShape => ({ rateHz, channels, bitRateKbps: defaultAacBitRateKbps(rateHz, channels) }),
  ),
);

function encode(samples: Int16Array, shape: AacShape, chunk = samples.length): Uint8Array[] {
  const encoder = new AacEncoder(shape);
  const frames: Uint8Array[] = [];
  for (let at = 0; at < samples.length; at += chunk)
    frames.push(...encoder.encode(samples.subarray(at, at + chunk)));
  assert.equal(encoder.samples, samples.length / shape.channels);
  return [...frames, ...encoder.finish()];
}

test('as many frames as announced, whatever the length; chunks of any size give the same', () => {
  for (const shape of shapes) {
    const { rateHz, channels } = shape;
    for (const samples of [0, 1, 447, 448, 449, 1023, 1024, 1025, 5000])
      assert.equal(encode(new Int16Array(samples * channels), shape).length, aacFrames(samples));
    const signal = testTones(9000, rateHz, ...[440, 700].slice(0, channels));
    const whole = encode(signal, shape);
    for (const chunk of [1, 160, 1023]) assert.deepEqual(encode(signal, shape, chunk * channels), whole);
  }
});

test('no run of frames is longer than the bit rate and its reservoir allow, on the worst there is', () => {
  for (const shape of shapes) {
    const { rateHz, channels } = shape;
    // Full scale noise behind silence, clicks, steps between the extremes, silence.
    let random = 1;
    const signal = Int16Array.from({ length: 24 * 4096 * channels }, (_, at) => {
      random = (Math.imul(random, 1_103_515_245) + 12_345) | 0;
      const values = [0, random >> 16, at % 701 === 0 ? 32_767 : 0, at % 64 < 32 ? 32_767 : -32_768];
      return values[Math.floor(at / (4096 * channels)) % values.length]!;
    });
    const lengths = encode(signal, shape).map((frame) => frame.length);
    for (let from = 0; from < lengths.length; from += 1) {
      let bytes = 0;
      for (let to = from; to < lengths.length; to += 1) {
        bytes += lengths[to]!;
        assert.ok(bytes <= maxAacBytes(shape, to - from + 1), `${rateHz} Hz, frames ${from} to ${to}`);
      }
    }
  }
});

test('silence before the rest is the same frames as silence that was encoded', () => {
  for (const shape of shapes) {
    const { rateHz, channels } = shape;
    const audio = testTones(8000, rateHz, ...[440, 700].slice(0, channels));
    for (const lead of [0, 1, 64 * 1024, 67 * 1024 + 1, 200_001, 1_000_000]) {
      const whole = new Int16Array((lead + 8000) * channels);
      whole.set(audio, lead * channels);
      const encoder = new AacEncoder(shape);
      const frames = [...encoder.encodeLeadingSilence(lead)].flat();
      frames.push(...encoder.encode(audio), ...encoder.finish());
      assert.equal(encoder.samples, lead + 8000);
      const equal = Buffer.concat(frames).equals(Buffer.concat(encode(whole, shape)));
      assert.ok(equal, `${lead} samples at ${rateHz} Hz, ${channels} channels`);
    }
  }
});

test('the configuration names AAC-LC, the rate and the channels; what there is not is refused', () => {
  assert.deepEqual(
    [...aacConfig({ rateHz: 8000, channels: 1, bitRateKbps: 32 })],
    [0x15, 0x88, 0x56, 0xe5, 0],
  );
  assert.deepEqual(
    [...aacConfig({ rateHz: 48_000, channels: 2, bitRateKbps: 128 })],
    [0x11, 0x90, 0x56, 0xe5, 0],
  );
  for (const shape of [
    { rateHz: 11_025 as 8000, channels: 1, bitRateKbps: 32 },
    { rateHz: 8000, channels: 1, bitRateKbps: 3 },
    { rateHz: 8000, channels: 1, bitRateKbps: 49 },
    { rateHz: 48_000, channels: 2, bitRateKbps: 321 },
    { rateHz: 48_000, channels: 2, bitRateKbps: Number.NaN },
  ] as const)
    assert.throws(
      () => new AacEncoder(shape),
      (error) => error instanceof CallreelError && error.code === 'REQUEST_INVALID',
    );
});
