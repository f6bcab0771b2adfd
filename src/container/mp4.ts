import {
  AacEncoder,
  type AacShape,
  aacConfig,
  aacDelaySamples,
  aacFrameSamples,
  aacFrames,
  maxAacBytes,
} from './aac.ts';
import { mp4Fragment, mp4FragmentHeadBytes, mp4Index } from './mp4-fragment.ts';
import { mp4Head } from './mp4-movie.ts';

/** Everything that decides the length of an MP4 file. */
export interface Mp4Shape extends AacShape {
  /** Samples of audio in each channel. */
  samples: number;
}

/** Longer ones save some bytes, shorter ones let a player begin and jump sooner. */
const fragmentSeconds = 10;

interface Slot {
  frames: number;
  dataBytes: number;
  /** With its head. */
  bytes: number;
}

function slotOf(shape: Mp4Shape, frames: number, isLast: boolean): Slot {
  const dataBytes = maxAacBytes(shape, frames);
  return { frames, dataBytes, bytes: mp4FragmentHeadBytes(frames, isLast) + dataBytes };
}

function slotsOf(shape: Mp4Shape): Slot[] {
  const framesPerSlot = Math.ceil((fragmentSeconds * shape.rateHz) / aacFrameSamples);
  const frames = aacFrames(shape.samples);
  const before = Math.ceil(frames / framesPerSlot) - 1;
  const full = slotOf(shape, framesPerSlot, false);
  return [...Array<Slot>(before).fill(full), slotOf(shape, frames - before * framesPerSlot, true)];
}

/** What the file begins with. */
export function mp4FileHead(shape: Mp4Shape): Uint8Array {
  return headOf(shape, slotsOf(shape));
}

function headOf(shape: Mp4Shape, slots: readonly Slot[]): Uint8Array {
  const track = { ...shape, config: aacConfig(shape) };
  return Buffer.concat([mp4Head(track, shape.samples), mp4Index(shape.rateHz, shape.samples, slots)]);
}

/** Exact length of the file. @throws CallreelError REQUEST_INVALID */
export function mp4Bytes(shape: Mp4Shape): number {
  const slots = slotsOf(shape);
  return slots.reduce((sum, { bytes }) => sum + bytes, headOf(shape, slots).length);
}

/**
 * A whole MP4 file with one AAC track, made in one go. It is fragmented, so that it plays from its first bytes, and
 * every fragment has as many bytes as its frames may take at most, so that the length of the file (`mp4Bytes`), the
 * index and the duration are known before the first sample. The same audio is the same file.
 */
export class Mp4Encoder {
  readonly #shape: Mp4Shape;
  readonly #encoder: AacEncoder;
  readonly #slots: readonly Slot[];
  #slot = 0;
  #framesBefore = 0;
  #frames: Uint8Array[] = [];

  /** @throws CallreelError REQUEST_INVALID */
  constructor(shape: Mp4Shape) {
    this.#shape = shape;
    this.#encoder = new AacEncoder(shape);
    this.#slots = slotsOf(shape);
  }

  /** What the file begins with. */
  head(): Uint8Array {
    return headOf(this.#shape, this.#slots);
  }

  /**
   * @param samples interleaved
   * @returns the finished fragments, perhaps none; the caller may keep them
   */
  encode(samples: Int16Array): Uint8Array {
    return this.#fragments(this.#encoder.encode(samples));
  }

  /** As `encode` of so many samples of silence, before any others, at next to no cost however long it is. */
  *encodeLeadingSilence(samples: number): Generator<Uint8Array, void, void> {
    for (const frames of this.#encoder.encodeLeadingSilence(samples)) {
      const fragments = this.#fragments(frames);
      if (fragments.length > 0) yield fragments;
    }
  }

  /** The last fragment. As many samples must have gone in as the shape said. */
  finish(): Uint8Array {
    const { samples } = this.#encoder;
    if (samples !== this.#shape.samples)
      throw new TypeError(`${samples} samples encoded, ${this.#shape.samples} announced`);
    return this.#fragments(this.#encoder.finish());
  }

  #fragments(frames: readonly Uint8Array[]): Uint8Array {
    const fragments: Uint8Array[] = [];
    for (const frame of frames) {
      this.#frames.push(frame);
      const slot = this.#slots[this.#slot];
      if (slot && this.#frames.length === slot.frames) fragments.push(this.#fragment(slot));
    }
    return fragments.length === 1 ? fragments[0]! : Buffer.concat(fragments);
  }

  #fragment({ dataBytes }: Slot): Uint8Array {
    const frames = this.#frames;
    this.#frames = [];
    this.#slot += 1;
    const decodeTime = this.#framesBefore * aacFrameSamples;
    this.#framesBefore += frames.length;
    const end = aacDelaySamples + this.#shape.samples;
    const lastFrameSamples = end - (this.#framesBefore - 1) * aacFrameSamples;
    const isLast = this.#slot === this.#slots.length;
    return mp4Fragment({
      sequence: this.#slot,
      decodeTime,
      frames,
      dataBytes,
      ...(isLast && { lastFrameSamples }),
    }).bytes;
  }
}
