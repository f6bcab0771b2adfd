import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { createEncoder, type WasmMediaEncoder } from 'wasm-media-encoders';
import { type Mp3Shape, mp3FrameShape, mp3Frames, mp3InfoFrame } from './mp3-frame.ts';

let wasm: Promise<Uint8Array> | undefined;

/** LAME, read once a process; each encoder compiles its own instance, which takes a few milliseconds. */
function lameWasm(): Promise<Uint8Array> {
  wasm ??= readFile(fileURLToPath(import.meta.resolve('wasm-media-encoders/wasm/mp3')));
  return wasm;
}

/** Behind so much silence each further frame of it equals the one before: LAME's bit reservoir is full. */
const settlingFrames = 64;
/** Repeated frames are given out in pieces of this many. */
const repeatedFrames = 1024;

/**
 * Mono MP3 at a constant bit rate. The file is one Info frame and `mp3Frames` of audio, so its length is known before
 * the first sample (`mp3Bytes`). The encoder itself writes no Info frame; without one every player would show the
 * audio 1105 samples (138 ms at 8 kHz) late, so it stands in front and says how much to cut at both ends.
 */
export class Mp3Encoder {
  readonly #lame: WasmMediaEncoder<'audio/mpeg'>;
  readonly #shape: Mp3Shape;
  #samples = 0;
  #float = new Float32Array(0);

  private constructor(lame: WasmMediaEncoder<'audio/mpeg'>, shape: Mp3Shape) {
    this.#lame = lame;
    this.#shape = shape;
  }

  static async create(shape: Mp3Shape): Promise<Mp3Encoder> {
    mp3Frames(shape);
    const lame = await createEncoder('audio/mpeg', await lameWasm());
    const { rateHz, bitRateKbps } = shape;
    lame.configure({ channels: 1, sampleRate: rateHz, outputSampleRate: rateHz, bitrate: bitRateKbps });
    return new Mp3Encoder(lame, shape);
  }

  /** What the file begins with. */
  head(): Uint8Array {
    return mp3InfoFrame(this.#shape);
  }

  /** @returns the finished frames, perhaps none; the caller may keep them */
  encode(samples: Int16Array): Uint8Array {
    if (this.#float.length < samples.length) this.#float = new Float32Array(samples.length);
    const float = this.#float.subarray(0, samples.length);
    for (let k = 0; k < samples.length; k += 1) float[k] = (samples[k] ?? 0) / 32_768;
    this.#samples += samples.length;
    return this.#lame.encode([float]).slice();
  }

  /**
   * As `encode` of so many samples of silence, before any others: the same bytes, at next to no cost however long it is.
   */
  *encodeLeadingSilence(samples: number): Generator<Uint8Array, void, void> {
    const { frameBytes, samplesPerFrame } = mp3FrameShape(this.#shape);
    const settling = new Int16Array(Math.min(samples, settlingFrames * samplesPerFrame));
    const settled = this.encode(settling);
    const whole = Math.floor(settled.length / frameBytes) * frameBytes;
    const last = settled.subarray(whole - frameBytes, whole);
    const repeats = Math.floor((samples - settling.length) / samplesPerFrame);
    yield settled.subarray(0, whole);
    if (repeats > 0) {
      const copies = new Uint8Array(Math.min(repeats, repeatedFrames) * frameBytes);
      for (let at = 0; at < copies.length; at += frameBytes) copies.set(last, at);
      for (let left = repeats * frameBytes; left > 0; left -= copies.length)
        yield copies.slice(0, Math.min(left, copies.length));
      this.#samples += repeats * samplesPerFrame;
    }
    yield settled.subarray(whole);
    const rest = samples - settling.length - Math.max(0, repeats) * samplesPerFrame;
    if (rest > 0) yield this.encode(new Int16Array(rest));
  }

  /** The last frames. As many samples must have gone in as the shape said. */
  finish(): Uint8Array {
    if (this.#samples !== this.#shape.samples) {
      throw new TypeError(`${this.#samples} samples encoded, ${this.#shape.samples} announced`);
    }
    return this.#lame.finalize().slice();
  }
}
