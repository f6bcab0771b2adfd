import { Mp3Encoder } from './mp3.ts';
import { mp3InfoFrame, type OpenMp3Shape } from './mp3-frame.ts';
import type { ContainerWriter, WriteAt } from './writer.ts';

/**
 * An MP3 file that grows by whole frames of constant bit rate. Its Info frame says from the start what players cut off
 * at the beginning, and how long the audio is once that is known. The last two frames of audio (up to 1728 samples at
 * 8 and 16 kHz, 3456 at 48) are in the encoder until `finish`, whatever is settled.
 */
export class Mp3Writer implements ContainerWriter {
  readonly #shape: OpenMp3Shape;
  readonly #write: WriteAt;
  readonly #encoder: Mp3Encoder;
  #bytes = 0;

  /** @throws CallreelError REQUEST_INVALID */
  constructor(shape: OpenMp3Shape, write: WriteAt) {
    this.#shape = shape;
    this.#write = write;
    this.#encoder = new Mp3Encoder(shape);
    this.#add(this.#encoder.head());
  }

  get samples(): number {
    return this.#encoder.samples;
  }

  append(channels: readonly Int16Array[]): void {
    this.#add(this.#encoder.encode(...channels));
  }

  settle(): void {}

  finish(): void {
    this.#add(this.#encoder.finish());
    this.#write(mp3InfoFrame({ ...this.#shape, samples: this.samples }), 0);
  }

  #add(frames: Uint8Array): void {
    if (frames.length === 0) return;
    this.#write(frames, this.#bytes);
    this.#bytes += frames.length;
  }
}
