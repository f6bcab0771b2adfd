import { wavHeader, wavHeaderBytes } from './wav.ts';
import { type ContainerWriter, interleave, type WriteAt } from './writer.ts';

/** The header says at least so often how long the audio is. */
const refreshSeconds = 0.2;

/** A WAV file with 16-bit PCM whose header is never ahead of its audio. RIFF, and RF64 from 4 GiB on. */
export class WavWriter implements ContainerWriter {
  readonly #rateHz: number;
  readonly #channels: 1 | 2;
  readonly #write: WriteAt;
  #samples: number;
  #listedSamples: number;

  /** @param presentSamples of a file that is continued */
  constructor(
    { rateHz, channels }: { rateHz: number; channels: 1 | 2 },
    write: WriteAt,
    presentSamples = 0,
  ) {
    this.#rateHz = rateHz;
    this.#channels = channels;
    this.#write = write;
    this.#samples = presentSamples;
    this.#listedSamples = presentSamples;
    this.#refresh();
  }

  get samples(): number {
    return this.#samples;
  }

  append(channels: readonly Int16Array[]): void {
    const length = channels[0]?.length ?? 0;
    const step = Math.floor(refreshSeconds * this.#rateHz);
    for (let from = 0; from < length; ) {
      const to = Math.min(length, from + step - (this.#samples - this.#listedSamples));
      const samples = interleave(channels.map((channel) => channel.subarray(from, to)));
      // The machine is little-endian, like WAV.
      const bytes = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
      this.#write(bytes.slice(), wavHeaderBytes + this.#dataBytes);
      this.#samples += to - from;
      from = to;
      if (this.#samples - this.#listedSamples >= step) this.#refresh();
    }
  }

  settle(): void {
    if (this.#listedSamples < this.#samples) this.#refresh();
  }

  finish(): void {
    this.settle();
  }

  get #dataBytes(): number {
    return this.#samples * this.#channels * 2;
  }

  #refresh(): void {
    this.#listedSamples = this.#samples;
    const shape = { rateHz: this.#rateHz, channels: this.#channels, dataBytes: this.#dataBytes };
    this.#write(wavHeader(shape), 0);
  }
}
