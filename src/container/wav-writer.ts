import { wavHeader } from './wav.ts';
import { type AudioFileWriter, type FilePart, FileParts } from './writer.ts';

/** The header says at least so often how long the audio is; of what is written at once, behind it. */
const refreshSeconds = 1;

/** A WAV file with 16-bit PCM whose header is never ahead of its audio. RIFF, and RF64 from 4 GiB on. */
export class WavWriter implements AudioFileWriter {
  readonly #rateHz: number;
  readonly #channels: 1 | 2;
  readonly #lends: boolean;
  readonly #file = new FileParts();
  #samples = 0;
  #listedSamples = 0;

  /** @param lends parts are the samples that were given, for who writes them at once */
  constructor({ rateHz, channels, lends = false }: { rateHz: number; channels: 1 | 2; lends?: boolean }) {
    this.#lends = lends;
    this.#rateHz = rateHz;
    this.#channels = channels;
    this.#file.append(this.#header());
  }

  get samples(): number {
    return this.#samples;
  }

  get byteLength(): number {
    return this.#file.byteLength;
  }

  write(samples: Int16Array): FilePart[] {
    const step = Math.floor(refreshSeconds * this.#rateHz);
    const length = samples.length / this.#channels;
    if (this.#samples > this.#listedSamples && this.#samples + length > this.#listedSamples + step)
      this.#list();
    this.#append(samples);
    this.#samples += length;
    return this.#file.take();
  }

  refresh(): FilePart[] {
    if (this.#listedSamples < this.#samples) this.#list();
    return this.#file.take();
  }

  finish(): FilePart[] {
    return this.refresh();
  }

  /** The machine is little-endian, like WAV. */
  #append(samples: Int16Array): void {
    const { buffer, byteOffset, byteLength } = this.#lends ? samples : samples.slice();
    this.#file.append(new Uint8Array(buffer, byteOffset, byteLength));
  }

  #list(): void {
    this.#listedSamples = this.#samples;
    this.#file.patch(this.#header(), 0);
  }

  #header(): Uint8Array {
    const dataBytes = this.#samples * this.#channels * 2;
    return wavHeader({ rateHz: this.#rateHz, channels: this.#channels, dataBytes });
  }
}
