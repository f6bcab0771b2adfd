import { Mp3Encoder } from './mp3.ts';
import { mp3InfoFrame, type OpenMp3Shape } from './mp3-frame.ts';
import { type AudioFileWriter, type FilePart, FileParts } from './writer.ts';

/**
 * An MP3 file that grows by whole frames of constant bit rate. Its Info frame says from the start what players cut off
 * at the beginning, and how long the audio is once that is known. The last two frames of audio (up to 1728 samples at
 * 8 and 16 kHz, 3456 at 48) are in the encoder until `finish`, whatever is refreshed.
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
