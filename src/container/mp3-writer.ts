import { Mp3Encoder } from './mp3.ts';
import { mp3FrameShape, mp3InfoFrame, type OpenMp3Shape, openMp3InfoFrame } from './mp3-frame.ts';
import { type AudioFileWriter, type FilePart, FileParts } from './writer.ts';

/** The Info frame says at least so often how long the audio is. */
const refreshSeconds = 0.2;

/**
 * An MP3 file of constant bit rate that grows. Its Info frame lists the frames that are there: without that players
 * would be late by what they cut off at the beginning. Up to 2480 samples at 8 and 16 kHz, 4784 at 48, are in the
 * encoder until `finish`, whatever is refreshed.
 */
export class Mp3Writer implements AudioFileWriter {
  readonly #shape: OpenMp3Shape;
  readonly #channels: 1 | 2;
  readonly #encoder: Mp3Encoder;
  readonly #file = new FileParts();
  #refreshedSamples = 0;
  #listedFrames = 0;

  /** @throws CallreelError REQUEST_INVALID */
  constructor(shape: OpenMp3Shape) {
    this.#shape = shape;
    this.#channels = shape.channels ?? 1;
    this.#encoder = new Mp3Encoder(shape);
    this.#file.append(this.#encoder.head());
  }

  get samples(): number {
    return this.#encoder.samples;
  }

  get byteLength(): number {
    return this.#file.byteLength;
  }

  write(samples: Int16Array): FilePart[] {
    const step = Math.floor(refreshSeconds * this.#shape.rateHz);
    for (let from = 0; from < samples.length; ) {
      const room = step - (this.samples - this.#refreshedSamples);
      const part = samples.subarray(from, from + room * this.#channels);
      this.#file.append(this.#encoder.encode(part));
      from += part.length;
      if (part.length === room * this.#channels) this.#list();
    }
    return this.#file.take();
  }

  refresh(): FilePart[] {
    this.#list();
    return this.#file.take();
  }

  finish(): FilePart[] {
    this.#file.append(this.#encoder.finish());
    this.#file.patch(mp3InfoFrame({ ...this.#shape, samples: this.samples }), 0);
    return this.#file.take();
  }

  #list(): void {
    this.#refreshedSamples = this.samples;
    const frames = Math.floor(this.byteLength / mp3FrameShape(this.#shape).frameBytes) - 1;
    if (frames === this.#listedFrames) return;
    this.#listedFrames = frames;
    this.#file.patch(openMp3InfoFrame(this.#shape, frames), 0);
  }
}
