import { readFileSync } from 'node:fs';
import { CallreelError } from '../errors.ts';

export type AacRateHz = 8000 | 16_000 | 48_000;

export interface AacShape {
  rateHz: AacRateHz;
  channels: 1 | 2;
  /** Of all channels together: 4 kbit/s and 6 bits a sample for each channel are the bounds. */
  bitRateKbps: number;
}

/** The VisualOn encoder as WebAssembly (`wasm/aac`), without imports. */
interface AacExports {
  readonly memory: WebAssembly.Memory;
  _initialize(): void;
  samples(): number;
  frame(): number;
  open(rateHz: number, channels: number, bitRate: number): number;
  encode(channels: number): number;
}

export const aacFrameSamples = 1024;

/** The encoder's first frames carry so many samples before the audio: one window, and its look-ahead. */
const encoderDelay = aacFrameSamples + 576;
/**
 * Silence in front makes the delay two whole frames. The first of them is empty and left out: the other is needed,
 * because a decoder overlaps each frame with the one before.
 */
const leadSamples = 2 * aacFrameSamples - encoderDelay;
const droppedFrames = 1;
/** Samples that come out of a decoder before the audio: one frame exactly. */
export const aacDelaySamples = aacFrameSamples;

/** The sync extension 0x2b7 with object type 5, and that it is not present. */
const noSbr = [0x56, 0xe5, 0x00];

const defaultKbps: Readonly<Record<AacRateHz, number>> = { 8000: 32, 16000: 48, 48000: 64 };
/** Sampling frequency index, ISO/IEC 14496-3 table 1.18. */
const rateIndex: Readonly<Record<AacRateHz, number>> = { 8000: 11, 16000: 8, 48000: 3 };

export function defaultAacBitRateKbps(rateHz: AacRateHz, channels: 1 | 2): number {
  return defaultKbps[rateHz] * channels;
}

/**
 * AudioSpecificConfig, ISO/IEC 14496-3 1.6.2.1. It says that there is no SBR: at low rates decoders assume some
 * otherwise (1.6.5), double the sample rate and play late.
 * @throws CallreelError REQUEST_INVALID
 */
export function aacConfig(shape: AacShape): Uint8Array {
  const { rateHz, channels, bitRateKbps } = shape;
  const kbps = bitRateKbps / channels;
  if (rateIndex[rateHz] === undefined || !(kbps >= 4 && kbps * 1000 <= Math.min(6 * rateHz, 160_000)))
    throw new CallreelError('REQUEST_INVALID', `${named(shape)} is not supported`, { where: 'bitRateKbps' });
  const objectType = 2; // AAC LC
  const bits = (objectType << 11) | (rateIndex[rateHz] << 7) | (channels << 3);
  return Uint8Array.of(bits >> 8, bits & 0xff, ...noSbr);
}

function named({ rateHz, channels, bitRateKbps }: AacShape): string {
  return `AAC at ${rateHz} Hz with ${bitRateKbps} kbit/s in ${channels} channels`;
}

/** Behind so much silence each cycle of frames of it equals the one before: the bit reservoir is full. */
const settlingFrames = 64;

/**
 * At most so many bytes are all of the first frames together, or any run of them: the bit rate is constant but for a
 * reservoir of 6144 bits for each channel (ISO/IEC 14496-3 4.5.3.2).
 */
export function maxAacBytes({ rateHz, channels, bitRateKbps }: AacShape, frames: number): number {
  return Math.ceil((frames * bitRateKbps * 125 * aacFrameSamples) / rateHz) + 768 * channels;
}

/** Frames that carry so many samples of audio. */
export function aacFrames(samples: number): number {
  return 1 + Math.ceil(samples / aacFrameSamples);
}

let compiled: WebAssembly.Module | undefined;

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/**
 * AAC-LC, mono or left and right; the two are coded apart in every band, so that neither is heard in the other.
 * Integer arithmetic throughout: the same samples are the same bytes on every machine.
 */
export class AacEncoder {
  readonly #aac: AacExports;
  readonly #channels: 1 | 2;
  /** AudioSpecificConfig. */
  readonly config: Uint8Array;
  /** After so many frames the bit rate comes out even: their lengths differ by a byte. */
  readonly #cycleFrames: number;
  /** Interleaved, one frame; and the values of it that are there. */
  readonly #pending: Int16Array;
  #held: number;
  #samples = 0;
  #frames = 0;

  /** @throws CallreelError REQUEST_INVALID */
  constructor(shape: AacShape) {
    const { rateHz, channels, bitRateKbps } = shape;
    this.config = aacConfig(shape);
    compiled ??= new WebAssembly.Module(readFileSync(new URL('../../wasm/aac/aac.wasm', import.meta.url)));
    this.#aac = new WebAssembly.Instance(compiled, {}).exports as unknown as AacExports;
    this.#aac._initialize();
    if (this.#aac.open(rateHz, channels, bitRateKbps * 1000) !== 0)
      throw new CallreelError('RENDER_FAILED', `${named(shape)} could not be begun`);
    this.#channels = channels;
    this.#cycleFrames = rateHz / greatestCommonDivisor(rateHz, (bitRateKbps * 1000 * aacFrameSamples) / 8);
    this.#pending = new Int16Array(aacFrameSamples * channels);
    this.#held = leadSamples * channels;
  }

  /** Samples of each channel that went in. */
  get samples(): number {
    return this.#samples;
  }

  /**
   * @param samples interleaved
   * @returns the finished frames, perhaps none; the caller may keep them
   */
  encode(samples: Int16Array): Uint8Array[] {
    const frames: Uint8Array[] = [];
    for (let at = 0; at < samples.length; ) {
      const part = samples.subarray(at, at + this.#pending.length - this.#held);
      this.#pending.set(part, this.#held);
      this.#held += part.length;
      at += part.length;
      if (this.#held === this.#pending.length) this.#encodeFrame(frames);
    }
    this.#samples += samples.length / this.#channels;
    return frames;
  }

  /**
   * As `encode` of so many samples of silence, before any others: the same frames, at next to no cost however long it is.
   */
  *encodeLeadingSilence(samples: number): Generator<Uint8Array[], void, void> {
    const settling = Math.min(samples, settlingFrames * aacFrameSamples);
    const settled = this.encode(new Int16Array(settling * this.#channels));
    yield settled;
    const cycle = settled.slice(-this.#cycleFrames);
    const cycles = Math.floor((samples - settling) / (this.#cycleFrames * aacFrameSamples));
    for (let k = 0; k < cycles; k += 1) yield cycle;
    this.#frames += cycles * this.#cycleFrames;
    const repeated = cycles * this.#cycleFrames * aacFrameSamples;
    this.#samples += repeated;
    yield this.encode(new Int16Array((samples - settling - repeated) * this.#channels));
  }

  /** The last frames: all samples that went in come out of a decoder of `1 + ceil(samples / 1024)` frames. */
  finish(): Uint8Array[] {
    const total = droppedFrames + aacFrames(this.#samples);
    const frames: Uint8Array[] = [];
    while (this.#frames < total) {
      this.#pending.fill(0, this.#held);
      this.#encodeFrame(frames);
    }
    return frames;
  }

  #encodeFrame(frames: Uint8Array[]): void {
    const { memory } = this.#aac;
    new Int16Array(memory.buffer, this.#aac.samples(), this.#pending.length).set(this.#pending);
    const bytes = this.#aac.encode(this.#channels);
    if (bytes < 0) throw new CallreelError('RENDER_FAILED', 'the AAC encoder failed');
    this.#held = 0;
    this.#frames += 1;
    if (this.#frames > droppedFrames)
      frames.push(new Uint8Array(memory.buffer, this.#aac.frame(), bytes).slice());
  }
}
