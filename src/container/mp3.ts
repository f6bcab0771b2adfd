import { Lame } from './lame.ts';
import {
  type Mp3Shape,
  mp3FrameShape,
  mp3InfoFrame,
  type OpenMp3Shape,
  openMp3InfoFrame,
} from './mp3-frame.ts';

/** Behind so much silence each further frame of it equals the one before: LAME's bit reservoir is full. */
const settlingFrames = 64;
/** Repeated frames are given out in pieces of this many. */
const repeatedFrames = 1024;

/**
 * MP3 at a constant bit rate, mono or left and right. The file is one Info frame and `mp3Frames` of audio, so its
 * length is known before the first sample (`mp3Bytes`). The encoder itself writes no Info frame; without one every
 * player would show the audio 1105 samples (138 ms at 8 kHz) late, so it stands in front and says how much to cut at
 * both ends.
 */
export class Mp3Encoder {
  readonly #lame: Lame;
  readonly #shape: Mp3Shape | OpenMp3Shape;
  readonly #channels: 1 | 2;
  #samples = 0;

  /** @throws CallreelError REQUEST_INVALID */
  constructor(shape: Mp3Shape | OpenMp3Shape) {
    mp3FrameShape(shape);
    this.#shape = shape;
    this.#channels = shape.channels ?? 1;
    this.#lame = new Lame(shape.rateHz, this.#channels, shape.bitRateKbps);
  }

  /** Samples of each channel that went in. */
  get samples(): number {
    return this.#samples;
  }

  /** What the file begins with. */
  head(): Uint8Array {
    const shape = this.#shape;
    return shape.samples === undefined ? openMp3InfoFrame(shape, 0) : mp3InfoFrame(shape);
  }

  /**
   * @param samples interleaved
   * @returns the finished frames, perhaps none; the caller may keep them
   */
  encode(samples: Int16Array): Uint8Array {
    this.#samples += samples.length / this.#channels;
    return this.#lame.encode(samples);
  }

  /**
   * As `encode` of so many samples of silence, before any others: the same bytes, at next to no cost however long it is.
   */
  *encodeLeadingSilence(samples: number): Generator<Uint8Array, void, void> {
    const { frameBytes, samplesPerFrame } = mp3FrameShape(this.#shape);
    const settlingSamples = Math.min(samples, settlingFrames * samplesPerFrame);
    const settled = this.encode(new Int16Array(settlingSamples * this.#channels));
    const whole = Math.floor(settled.length / frameBytes) * frameBytes;
    const last = settled.subarray(whole - frameBytes, whole);
    const repeats = Math.floor((samples - settlingSamples) / samplesPerFrame);
    yield settled.subarray(0, whole);
    if (repeats > 0) {
      const copies = new Uint8Array(Math.min(repeats, repeatedFrames) * frameBytes);
      for (let at = 0; at < copies.length; at += frameBytes) copies.set(last, at);
      for (let left = repeats * frameBytes; left > 0; left -= copies.length)
        yield copies.slice(0, Math.min(left, copies.length));
      this.#samples += repeats * samplesPerFrame;
    }
    yield settled.subarray(whole);
    const rest = samples - settlingSamples - repeats * samplesPerFrame;
    if (rest > 0) yield this.encode(new Int16Array(rest * this.#channels));
  }

  /** The last frames. As many samples must have gone in as the shape said, if it did. */
  finish(): Uint8Array {
    const announced = this.#shape.samples ?? this.#samples;
    if (this.#samples !== announced)
      throw new TypeError(`${this.#samples} samples encoded, ${announced} announced`);
    return this.#lame.finish();
  }
}
