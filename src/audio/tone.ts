import { dbovToRms } from './level.ts';

export interface ToneOptions {
  rateHz: number;
  frequencyHz: number;
  /** RMS level; a sine clips above -3.01. */
  levelDbov: number;
}

/**
 * A sine that goes on without a break from call to call. Sample `n` depends on nothing but `n`, so any part of a
 * tone can be made by itself.
 */
export class ToneGenerator {
  readonly #rateHz: number;
  readonly #frequencyHz: number;
  readonly #amplitude: number;
  /** The sample `write` makes next. */
  position: number;

  constructor({ rateHz, frequencyHz, levelDbov }: ToneOptions, position = 0) {
    this.#rateHz = rateHz;
    this.#frequencyHz = frequencyHz;
    this.#amplitude = dbovToRms(levelDbov) * Math.SQRT2;
    this.position = position;
  }

  /** Fills `out[start..end)` with the next samples. */
  write(out: Int16Array, start = 0, end = out.length): void {
    for (let i = start; i < end; i++) {
      // Reduced before the sine, so that hours later the phase is as exact as at the start.
      const turns = ((this.position++ * this.#frequencyHz) % this.#rateHz) / this.#rateHz;
      const sample = Math.round(this.#amplitude * Math.sin(2 * Math.PI * turns));
      out[i] = Math.max(-32_768, Math.min(32_767, sample));
    }
  }
}

/** `samples` samples of one tone from its beginning. */
export function tone(options: ToneOptions, samples: number): Int16Array {
  const out = new Int16Array(samples);
  new ToneGenerator(options).write(out);
  return out;
}
