import { AacEncoder, type AacRateHz, aacFrameSamples, defaultAacBitRateKbps } from './aac.ts';
import { type Mp4Track, mp4Enclosure, mp4Fragment, mp4Head, mp4Movie } from './mp4-movie.ts';
import type { ContainerWriter, WriteAt } from './writer.ts';

export interface Mp4Shape {
  rateHz: AacRateHz;
  channels: 1 | 2;
  /** Of all channels together. */
  bitRateKbps?: number;
}

/** So much audio is lost at most where a file was cut off, besides the frames that are in the encoder. */
const fragmentSeconds = 1;

/**
 * An MP4 file with one AAC track. While it grows it is made of fragments of about a second; `finish` turns it into a
 * plain one: the movie is written behind them, then one header before them makes them its data.
 *
 * An edit list puts the first sample at the beginning exactly, and ends the audio with the last one once that is
 * known; a player that passes over edit lists is one AAC frame late (1024 samples). The last 1472 samples at most are
 * in the encoder until `finish`. The same audio in the same fragments is the same file.
 */
export class Mp4Writer implements ContainerWriter {
  readonly #encoder: AacEncoder;
  readonly #track: Mp4Track;
  readonly #write: WriteAt;
  readonly #framesPerFragment: number;
  readonly #frameBytes: number[] = [];
  readonly #chunks: { at: number; frames: number }[] = [];
  /** Of the next fragment. */
  #frames: Uint8Array[] = [];
  #bytes = 0;

  /** @throws CallreelError REQUEST_INVALID */
  constructor({ rateHz, channels, bitRateKbps = defaultAacBitRateKbps(rateHz, channels) }: Mp4Shape, write: WriteAt) {
    this.#encoder = new AacEncoder({ rateHz, channels, bitRateKbps });
    this.#track = { rateHz, channels, bitRateKbps, config: this.#encoder.config };
    this.#write = write;
    this.#framesPerFragment = Math.ceil((fragmentSeconds * rateHz) / aacFrameSamples);
    this.#add(mp4Head(this.#track));
  }

  get samples(): number {
    return this.#encoder.samples;
  }

  append(channels: readonly Int16Array[]): void {
    for (const frame of this.#encoder.encode(channels)) {
      this.#frames.push(frame);
      if (this.#frames.length === this.#framesPerFragment) this.#endFragment();
    }
  }

  /** Ends the fragment, however short it is. */
  settle(): void {
    if (this.#frames.length > 0) this.#endFragment();
  }

  finish(): void {
    this.#frames.push(...this.#encoder.finish());
    this.settle();
    const enclosure = mp4Enclosure(this.#bytes);
    const { samples } = this;
    this.#add(mp4Movie(this.#track, { samples, frameBytes: this.#frameBytes, chunks: this.#chunks }));
    this.#write(enclosure.bytes, enclosure.at);
  }

  #endFragment(): void {
    const frames = this.#frames;
    const decodeTime = this.#frameBytes.length * aacFrameSamples;
    const { bytes, framesAt } = mp4Fragment({ sequence: this.#chunks.length + 1, decodeTime, frames });
    this.#chunks.push({ at: this.#bytes + framesAt, frames: frames.length });
    for (const frame of frames) this.#frameBytes.push(frame.length);
    this.#frames = [];
    this.#add(bytes);
  }

  #add(bytes: Uint8Array): void {
    this.#write(bytes, this.#bytes);
    this.#bytes += bytes.length;
  }
}
