import assert from 'node:assert/strict';
import type { Decoder } from '../../../src/codec/codec.ts';
import { createDecoder } from '../../../src/codec/decoders.ts';
import { JitterBuffer } from '../../../src/media/jitter-buffer.ts';
import { toRtpTimestamp, toSequenceNumber } from '../../../src/rtp/sequence.ts';
import { InputReader } from '../input-reader.ts';
import type { FuzzTarget } from '../target.ts';

const settings = [
  { codec: 'PCMU', clockRateHz: 8000, rateHz: 8000 },
  { codec: 'G722', clockRateHz: 8000, rateHz: 16_000 },
  { codec: 'OPUS', clockRateHz: 48_000, rateHz: 8000 },
  { codec: 'OPUS', clockRateHz: 48_000, rateHz: 16_000 },
  { codec: 'OPUS', clockRateHz: 48_000, rateHz: 48_000 },
  { codec: 'PCMA', clockRateHz: 16_000, rateHz: 16_000 },
] as const;

/** Nothing that is decoded, made up or silent has that value, but by chance. */
const untouched = 0x7a5b;
const guardSamples = 32;

/**
 * A stream at its playout: packets put in and frames taken in any order. An input is a format, then steps: a frame, or
 * a packet with what changes (1 byte), values and payload.
 */
export function createTarget(): FuzzTarget {
  const decoders = settings.map(({ codec, clockRateHz, rateHz }) =>
    createDecoder(codec, clockRateHz, rateHz),
  );
  return {
    isText: false,
    maxBytes: 2048,
    dictionary: [
      Uint8Array.of(0x80),
      Uint8Array.of(1, 0xff, 0xff),
      Uint8Array.of(2, 0, 0, 0, 1),
      Uint8Array.of(0x40),
    ],
    seeds: () => [...settings.keys()].flatMap((format) => [steady(format), lossy(format)]),
    run(input) {
      const reader = new InputReader(input);
      const format = reader.uint8() % settings.length;
      new Playout(reader, settings[format]!, decoders[format]!).run();
    },
    close: async () => {
      for (const decoder of decoders) decoder.close?.();
    },
  };
}

class Playout {
  readonly #input: InputReader;
  readonly #buffer: JitterBuffer;
  readonly #decoder: Decoder;
  readonly #packetTicks: number;
  readonly #out: Int16Array;
  #sequence = 65_530;
  #rtpTime = 2 ** 32 - 999;
  #ssrc = 1;
  #payload = new Uint8Array(160);

  constructor(
    input: InputReader,
    { clockRateHz, rateHz }: { clockRateHz: number; rateHz: number },
    decoder: Decoder,
  ) {
    this.#input = input;
    this.#decoder = decoder;
    this.#packetTicks = clockRateHz / 50;
    this.#buffer = new JitterBuffer({ clockRateHz, rateHz });
    this.#out = new Int16Array(this.#buffer.frameSamples + guardSamples);
  }

  run(): void {
    let hasNoise = false;
    while (!this.#input.done) {
      const step = this.#input.uint8();
      if (step >= 0x80) this.#take();
      else if (step === 0x7f) this.#buffer.clear();
      else {
        this.#put(step);
        hasNoise ||= (step & 0x40) !== 0;
      }
    }
    for (const value of Object.values(this.#buffer.counters)) assert.ok(Number.isFinite(value) && value >= 0);
    if (!hasNoise) this.#drain();
  }

  #put(what: number): void {
    const input = this.#input;
    if (what & 1) this.#sequence = input.uint16();
    if (what & 2) this.#rtpTime = input.uint32();
    if (what & 4) this.#rtpTime = (this.#rtpTime + input.uint8() - 128) >>> 0;
    if (what & 8) this.#payload = Uint8Array.from(input.take(input.uint8()));
    if (what & 16) this.#sequence = (this.#sequence + (input.uint8() & 15) - 4) & 0xffff;
    if (what & 32) this.#ssrc = input.uint8() & 3;
    const packet = {
      ssrc: this.#ssrc,
      sequenceNumber: toSequenceNumber(this.#sequence),
      rtpTime: toRtpTimestamp(this.#rtpTime),
      payload: this.#payload,
    };
    this.#buffer.put(packet, what & 0x40 ? undefined : this.#decoder);
    this.#sequence = (this.#sequence + 1) & 0xffff;
    this.#rtpTime = (this.#rtpTime + this.#packetTicks) >>> 0;
  }

  #take(): boolean {
    const { frameSamples } = this.#buffer;
    this.#out.fill(untouched);
    const has = this.#buffer.take(this.#out.subarray(0, frameSamples));
    for (let i = frameSamples; i < this.#out.length; i++)
      assert.equal(this.#out[i], untouched, 'nothing is written beyond the frame');
    if (!has) return false;
    let left = 0;
    for (let i = 0; i < frameSamples; i++) if (this.#out[i] === untouched) left++;
    assert.ok(left <= 4, 'every sample of a frame is written');
    return true;
  }

  /** What is queued is played within its time: 64 packets of 240 ms at most, and what was made up. */
  #drain(): void {
    let frames = 0;
    for (let silent = 0; silent < 60 && frames < 2000; frames++) silent = this.#take() ? 0 : silent + 1;
    assert.ok(frames < 2000, 'a stream that ended falls silent');
  }
}

function steady(format: number): Uint8Array {
  const payload = new Array(40).fill(0x78);
  const steps = [format, 8, 40, ...payload];
  for (let i = 0; i < 12; i++) steps.push(0, 0x80);
  return Uint8Array.from([...steps, 0x40, 0x80, 0x80, 0, 0x80]);
}

function lossy(format: number): Uint8Array {
  const steps = [format, 8, 3, 0x08, 1, 2, 0, 0, 0x80, 0x80, 0x80];
  for (const skip of [5, 3, 6, 4, 9]) steps.push(16, skip, 4, 0x81, 0x80);
  return Uint8Array.from([...steps, 32, 2, 0x80, 1, 0, 9, 0x80, 2, 0, 0, 0, 9, 0x80]);
}
