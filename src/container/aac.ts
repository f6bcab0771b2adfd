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

const defaultKbps: Readonly<Record<AacRateHz, number>> = { 8000: 32, 16000: 48, 48000: 64 };
/** Sampling frequency index, ISO/IEC 14496-3 table 1.18. */
const rateIndex: Readonly<Record<AacRateHz, number>> = { 8000: 11, 16000: 8, 48000: 3 };

export function defaultAacBitRateKbps(rateHz: AacRateHz, channels: 1 | 2): number {
  return defaultKbps[rateHz] * channels;
}

let compiled: WebAssembly.Module | undefined;

/**
 * AAC-LC, mono or left and right; the two are coded apart in every band, so that neither is heard in the other.
 * Integer arithmetic throughout: the same samples are the same bytes on every machine.
 */
export class AacEncoder {
  readonly #aac: AacExports;
  readonly #channels: 1 | 2;
  /** AudioSpecificConfig, ISO/IEC 14496-3 1.6.2.1. */
  readonly config: Uint8Array;
  /** Interleaved, one frame. */
  readonly #pending: Int16Array;
  #held = leadSamples;
  #samples = 0;
  #frames = 0;

  /** @throws CallreelError REQUEST_INVALID */
  constructor({ rateHz, channels, bitRateKbps }: AacShape) {
    const kbps = bitRateKbps / channels;
    const what = `AAC at ${rateHz} Hz with ${bitRateKbps} kbit/s in ${channels} channels`;
    if (rateIndex[rateHz] === undefined || !(kbps >= 4 && kbps * 1000 <= Math.min(6 * rateHz, 160_000)))
      throw new CallreelError('REQUEST_INVALID', `${what} is not supported`, { where: 'bitRateKbps' });
    compiled ??= new WebAssembly.Module(readFileSync(new URL('../../wasm/aac/aac.wasm', import.meta.url)));
    this.#aac = new WebAssembly.Instance(compiled, {}).exports as unknown as AacExports;
    this.#aac._initialize();
    if (this.#aac.open(rateHz, channels, bitRateKbps * 1000) !== 0)
      throw new CallreelError('RENDER_FAILED', `${what} could not be begun`);
    this.#channels = channels;
    this.#pending = new Int16Array(aacFrameSamples * channels);
    const objectType = 2; // AAC LC
    const bits = (objectType << 11) | (rateIndex[rateHz] << 7) | (channels << 3);
    this.config = Uint8Array.of(bits >> 8, bits & 0xff);
  }

  /** Samples of each channel that went in. */
  get samples(): number {
    return this.#samples;
  }

  /** @returns the finished frames, perhaps none; the caller may keep them */
  encode(channels: readonly Int16Array[]): Uint8Array[] {
    const length = channels[0]?.length ?? 0;
    const frames: Uint8Array[] = [];
    for (let at = 0; at < length; ) {
      const taken = Math.min(length - at, aacFrameSamples - this.#held);
      for (let channel = 0; channel < this.#channels; channel += 1) this.#hold(channels[channel]!, channel, at, taken);
      this.#held += taken;
      this.#samples += taken;
      at += taken;
      if (this.#held === aacFrameSamples) this.#encodeFrame(frames);
    }
    return frames;
  }

  /** The last frames: all samples that went in come out of a decoder of `1 + ceil(samples / 1024)` frames. */
  finish(): Uint8Array[] {
    const total = droppedFrames + 1 + Math.ceil(this.#samples / aacFrameSamples);
    const frames: Uint8Array[] = [];
    while (this.#frames < total) {
      this.#pending.fill(0, this.#held * this.#channels);
      this.#encodeFrame(frames);
    }
    return frames;
  }

  #hold(samples: Int16Array, channel: number, from: number, count: number): void {
    const step = this.#channels;
    let to = this.#held * step + channel;
    for (let k = from; k < from + count; k += 1, to += step) this.#pending[to] = samples[k]!;
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
