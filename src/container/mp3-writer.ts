import { Mp3Encoder } from './mp3.ts';
import { mp3InfoFrame, type OpenMp3Shape } from './mp3-frame.ts';
import { type AudioFileWriter, type FilePart, FileParts } from './writer.ts';

/**
 * An MP3 file of constant bit rate that grows. Its Info frame says from the start what players cut off at the
 * beginning (mpg123 does so once the length is known too), and how long the audio is when that is known. Up to 2480
 * samples at 8 and 16 kHz, 4784 at 48, are in the encoder until `finish`, whatever is refreshed.
 */
export class Mp3Writer implements AudioFileWriter {
  readonly #shape: OpenMp3Shape;
  readonly #encoder: Mp3Encoder;
  readonly #file = new FileParts();

  /** @throws CallreelError REQUEST_INVALID */
  constructor(shape: OpenMp3Shape) {
    this.#shape = shape;
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
    this.#file.append(this.#encoder.encode(samples));
    return this.#file.take();
  }

  refresh(): FilePart[] {
    return this.#file.take();
  }

  finish(): FilePart[] {
    this.#file.append(this.#encoder.finish());
    this.#file.patch(mp3InfoFrame({ ...this.#shape, samples: this.samples }), 0);
    return this.#file.take();
  }
}
