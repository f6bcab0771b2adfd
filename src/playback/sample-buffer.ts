import { CallreelError } from '../errors.ts';

const firstSamples = 65_536;

/** Samples of unknown number, up to a limit. */
export class SampleBuffer {
  readonly #maxSamples: number;
  #samples = new Int16Array(firstSamples);
  #length = 0;

  constructor(maxSamples: number) {
    this.#maxSamples = maxSamples;
  }

  get length(): number {
    return this.#length;
  }

  /** @throws CallreelError AUDIO_TOO_LONG */
  append(samples: Int16Array): void {
    const end = this.#length + samples.length;
    if (end > this.#maxSamples) throw tooLong(`more than ${this.#maxSamples} samples`);
    if (end > this.#samples.length) {
      const larger = new Int16Array(Math.min(this.#maxSamples, 2 * end));
      larger.set(this.#samples.subarray(0, this.#length));
      this.#samples = larger;
    }
    this.#samples.set(samples, this.#length);
    this.#length = end;
  }

  samples(): Int16Array<ArrayBuffer> {
    return this.#samples.slice(0, this.#length);
  }
}

export function tooLong(what: string): CallreelError {
  return new CallreelError('AUDIO_TOO_LONG', `the audio is too long: ${what}`);
}
