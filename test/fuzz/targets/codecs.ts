import assert from 'node:assert/strict';
import type { Decoder, Encoder } from '../../../src/codec/codec.ts';
import { ComfortNoise, comfortNoiseDbov } from '../../../src/codec/comfort-noise.ts';
import { createDecoder } from '../../../src/codec/decoders.ts';
import { createEncoder } from '../../../src/codec/encoders.ts';
import { opusInstance } from '../../../src/codec/opus-module.ts';
import { readData } from '../corpus.ts';
import { InputReader } from '../input-reader.ts';
import type { FuzzTarget } from '../target.ts';

const formats = [
  { codec: 'PCMU', clockRateHz: 8000, rateHz: 8000 },
  { codec: 'PCMA', clockRateHz: 16_000, rateHz: 16_000 },
  { codec: 'G722', clockRateHz: 8000, rateHz: 16_000 },
  { codec: 'OPUS', clockRateHz: 48_000, rateHz: 8000 },
  { codec: 'OPUS', clockRateHz: 48_000, rateHz: 16_000 },
  { codec: 'OPUS', clockRateHz: 48_000, rateHz: 48_000 },
  { codec: 'OPUS', clockRateHz: 48_000, rateHz: 44_100 },
] as const;

const guard = 0x5a5a;
const outSamples = 5760;
/** Of one input; to make up 0.7 s at 8000 Hz, the longest that there is room for, and to encode it takes Opus 2.5 ms. */
const maxPackets = 50;
const maxWasmBytes = 64 * 1024 * 1024;

/**
 * Payloads of one stream, with losses: a format, then for each packet what to do (1 byte), length (2) and bytes. What
 * was decoded is encoded again, as a room would.
 */
export function createTarget(): FuzzTarget {
  const samples = new Int16Array(outSamples + 64).fill(guard);
  const coded = new Uint8Array(outSamples + 64);
  const noise = new ComfortNoise();
  return {
    isText: false,
    maxBytes: 4096,
    dictionary: [0x08, 0x0b, 0x63, 0x78, 0x7b, 0xfb, 0xff].map((toc) => Uint8Array.of(0, 0, 20, toc, 3)),
    seeds: () => [...formats.keys()].map((format) => encoded(format)),
    run(input) {
      const reader = new InputReader(input);
      const { codec, clockRateHz, rateHz } = formats[reader.uint8() % formats.length]!;
      const decoder = createDecoder(codec, clockRateHz, rateHz);
      const encoder = createEncoder(codec, clockRateHz, {
        rateHz: decoder.rateHz,
        useDtx: reader.uint8() > 127,
      });
      const instance = opusInstance();
      for (let packets = 0; packets < maxPackets && !reader.done; packets++) {
        const step = reader.uint8();
        const payload = reader.take(reader.uint16() % 2048);
        const room = step & 1 ? outSamples : step;
        const made = decodeStep(decoder, payload, step, samples.subarray(0, room));
        assert.ok(
          Number.isInteger(made) && made >= 0 && made <= room,
          'no more samples than there is room for',
        );
        for (let i = room; i < room + 64; i++)
          assert.equal(samples[i], guard, 'nothing is written beyond the room');
        if (made > 0) checkEncoder(encoder, samples.subarray(0, made), coded);
        samples.fill(guard, 0, room);
        checkNoise(noise, payload);
      }
      assert.equal(opusInstance(), instance, 'no payload traps');
      decoder.close?.();
      encoder.close?.();
    },
    settle() {
      const { memory } = opusInstance().exports;
      assert.ok(memory.buffer.byteLength <= maxWasmBytes, 'the memory of libopus does not grow');
    },
  };
}

function decodeStep(decoder: Decoder, payload: Uint8Array, step: number, out: Int16Array): number {
  if ((step & 0xc0) !== 0xc0 || decoder.conceal === undefined) return decoder.decode(payload, out);
  return decoder.conceal(out, out.length, step & 2 ? payload : undefined);
}

function checkEncoder(encoder: Encoder, samples: Int16Array, out: Uint8Array): void {
  const frame = encoder.rateHz / 50;
  if (samples.length < frame) return;
  const bytes = encoder.encode(samples.subarray(0, frame), out.subarray(0, outSamples));
  assert.ok(Number.isInteger(bytes) && bytes >= 0 && bytes <= outSamples);
}

function checkNoise(noise: ComfortNoise, payload: Uint8Array): void {
  const level = comfortNoiseDbov(payload);
  if (level === undefined) return;
  assert.ok(level <= 0 && level >= -127);
  noise.levelDbov = level;
  noise.write(new Int16Array(8));
}

/** A little of a voice, as the codec has it. */
function encoded(format: number): Uint8Array {
  const { codec, clockRateHz, rateHz } = formats[format]!;
  const voice = readData('g722', 'input.s16')[0]!;
  const samples = new Int16Array(voice.buffer, voice.byteOffset, voice.byteLength >> 1);
  const directRateHz = rateHz === 44_100 ? 48_000 : rateHz;
  const encoder = createEncoder(codec, clockRateHz, { rateHz: directRateHz, useInbandFec: true });
  const out = new Uint8Array(4000);
  const parts = [Uint8Array.of(format, 0)];
  const frame = directRateHz / 50;
  for (let at = 0, i = 0; at + frame <= samples.length && i < 5; at += frame, i++) {
    const bytes = encoder.encode(samples.subarray(at, at + frame), out);
    parts.push(Uint8Array.of(i === 3 ? 0xc3 : 1, bytes >> 8, bytes & 0xff), out.slice(0, bytes));
  }
  encoder.close?.();
  return Buffer.concat(parts);
}
