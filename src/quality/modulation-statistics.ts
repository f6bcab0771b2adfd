import type { FeatureSink } from './feature-sink.ts';
import { Fft } from './fft.ts';

/** Rows between the two levels that are compared. */
const lags = [1, 2, 4, 8, 16, 32, 64, 128];
/** 1.28 s, every 0.64 s. */
const frameRows = 128;
/** Borders in steps of 0.78 Hz. */
const borders = [1, 3, 6, 12, 24, 44, 64];
const fft = new Fft(frameRows);
const real = new Float64Array(frameRows);
const imaginary = new Float64Array(frameRows);

/** How levels go up and down: how alike they are after 10 ms to 1.3 s, and at which rates. Rooms and noise smooth them. */
export class ModulationStatistics {
  static readonly stateLength = 2 * lags.length + 2 + borders.length - 1;
  readonly #products: Float64Array;
  readonly #pairs: Float64Array;
  /** Sum of squares, and rows. */
  readonly #variance: Float64Array;
  readonly #rates: Float64Array;

  constructor(state: Float64Array) {
    this.#products = state.subarray(0, lags.length);
    this.#pairs = state.subarray(lags.length, 2 * lags.length);
    this.#variance = state.subarray(2 * lags.length, 2 * lags.length + 2);
    this.#rates = state.subarray(2 * lags.length + 2);
  }

  /** Levels in dB against the top, one a row. */
  add(levels: Float64Array): void {
    const mean = levels.reduce((sum, level) => sum + level, 0) / levels.length;
    for (const level of levels) this.#variance[0]! += (level - mean) ** 2;
    this.#variance[1]! += levels.length;
    for (const [at, lag] of lags.entries()) {
      let sum = 0;
      for (let i = 0; i + lag < levels.length; i++) sum += (levels[i]! - mean) * (levels[i + lag]! - mean);
      this.#products[at]! += sum;
      this.#pairs[at]! += Math.max(0, levels.length - lag);
    }
    for (let i = 0; i + frameRows <= levels.length; i += frameRows / 2) this.#addRates(levels, i);
  }

  #addRates(levels: Float64Array, from: number): void {
    let mean = 0;
    for (let i = 0; i < frameRows; i++) mean += real[i] = 10 ** (levels[from + i]! / 20);
    mean /= frameRows;
    for (let i = 0; i < frameRows; i++)
      real[i] = (real[i]! - mean) * (0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 0.5)) / frameRows));
    imaginary.fill(0);
    fft.transform(real, imaginary);
    for (let rate = 0; rate + 1 < borders.length; rate++)
      for (let bin = borders[rate]!; bin < borders[rate + 1]!; bin++)
        this.#rates[rate]! += real[bin]! * real[bin]! + imaginary[bin]! * imaginary[bin]!;
  }

  features(put: FeatureSink, prefix: string): void {
    const variance = this.#variance[0]! / Math.max(1, this.#variance[1]!);
    put(`${prefix} spread`, Math.sqrt(variance));
    for (const [at, lag] of lags.entries())
      put(`${prefix} alike ${lag}`, this.#products[at]! / Math.max(1, this.#pairs[at]!) / (variance + 0.01));
    const all = this.#rates.reduce((sum, energy) => sum + energy, 1e-9);
    for (const [rate, energy] of this.#rates.entries())
      put(`${prefix} rate ${rate}`, 10 * Math.log10(energy / all + 1e-5));
  }
}
