import { AacEncoder, type AacRateHz, aacFrameSamples, defaultAacBitRateKbps } from './aac.ts';
import { mp4Fragment } from './mp4-fragment.ts';
import { type Mp4Track, mp4Enclosure, mp4Head, mp4Movie } from './mp4-movie.ts';
import { type AudioFileWriter, type FilePart, FileParts } from './writer.ts';

export interface OpenMp4Shape {
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
 * known; iTunes' note says so too, from the start. A player that passes over both is one AAC frame late (1024
 * samples). The last 2623 samples at most are in the encoder until `finish`. The same audio in the same fragments is
 * the same file.
 */
export class Mp4Writer implements AudioFileWriter {
  readonly #encoder: AacEncoder;
  readonly #track: Mp4Track;
  readonly #framesPerFragment: number;
  readonly #file = new FileParts();
  readonly #frameBytes: number[] = [];
  readonly #chunks: { at: number; frames: number }[] = [];
  /** Of the next fragment. */
  #frames: Uint8Array[] = [];

  /** @throws CallreelError REQUEST_INVALID */
  constructor({ rateHz, channels, bitRateKbps = defaultAacBitRateKbps(rateHz, channels) }: OpenMp4Shape) {
    this.#encoder = new AacEncoder({ rateHz, channels, bitRateKbps });
    this.#track = { rateHz, channels, bitRateKbps, config: this.#encoder.config };
    this.#framesPerFragment = Math.ceil((fragmentSeconds * rateHz) / aacFrameSamples);
    this.#file.append(mp4Head(this.#track));
  }

  get samples(): number {
    return this.#encoder.samples;
  }

  get byteLength(): number {
    return this.#file.byteLength;
  }

  write(samples: Int16Array): FilePart[] {
    for (const frame of this.#encoder.encode(samples)) {
      this.#frames.push(frame);
      if (this.#frames.length === this.#framesPerFragment) this.#endFragment();
    }
    return this.#file.take();
  }

  /** Ends the fragment, however short it is. */
  refresh(): FilePart[] {
    if (this.#frames.length > 0) this.#endFragment();
    return this.#file.take();
  }

  finish(): FilePart[] {
    this.#frames.push(...this.#encoder.finish());
    if (this.#frames.length > 0) this.#endFragment();
    const enclosure = mp4Enclosure(this.#file.byteLength);
    const { samples } = this;
    this.#file.append(mp4Movie(this.#track, { samples, frameBytes: this.#frameBytes, chunks: this.#chunks }));
    this.#file.patch(enclosure.bytes, enclosure.at);
    return this.#file.take();
  }

  #endFragment(): void {
    const frames = this.#frames;
    const decodeTime = this.#frameBytes.length * aacFrameSamples;
    const { bytes, framesAt } = mp4Fragment({ sequence: this.#chunks.length + 1, decodeTime, frames });
    this.#chunks.push({ at: this.#file.byteLength + framesAt, frames: frames.length });
    for (const frame of frames) this.#frameBytes.push(frame.length);
    this.#frames = [];
    this.#file.append(bytes);
  }
}
