import { wavHeader } from './wav.ts';
import { type AudioFileWriter, type FilePart, FileParts } from './writer.ts';

/** The header says at least so often how long the audio is. */
const refreshSeconds = 1;

/** A WAV file with 16-bit PCM whose header is never ahead of its audio. RIFF, and RF64 from 4 GiB on. */
export class WavWriter implements AudioFileWriter {
  readonly #rateHz: number;
  readonly #channels: 1 | 2;
  readonly #file = new FileParts();
  #samples = 0;
  #listedSamples = 0;

  constructor({ rateHz, channels }: { rateHz: number; channels: 1 | 2 }) {
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
    for (let from = 0; from < length; ) {
      const to = Math.min(length, from + step - (this.#samples - this.#listedSamples));
      const pcm = samples.slice(from * this.#channels, to * this.#channels);
      // The machine is little-endian, like WAV.
      this.#file.append(new Uint8Array(pcm.buffer));
      this.#samples += to - from;
      from = to;
      if (this.#samples - this.#listedSamples >= step) this.#list();
    }
    return this.#file.take();
  }

  refresh(): FilePart[] {
    if (this.#listedSamples < this.#samples) this.#list();
    return this.#file.take();
  }

  finish(): FilePart[] {
    return this.refresh();
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
