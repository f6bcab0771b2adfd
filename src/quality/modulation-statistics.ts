import { type FeatureSink, namesOnce } from './feature-sink.ts';
import { addTo } from './kernel.ts';

/** Rows between the two levels that are compared. */
const lags = [1, 2, 4, 8, 16, 32, 64, 128];
/** Of a transform of 1.28 s, every 0.64 s; borders in steps of 0.78 Hz. */
const borders = [1, 3, 6, 12, 24, 44, 64];
const namesOf = namesOnce((prefix) => [
  `${prefix} spread`,
  ...lags.map((lag) => `${prefix} alike ${lag}`),
  ...borders.slice(1).map((_, rate) => `${prefix} rate ${rate}`),
]);

/** How levels go up and down: how alike they are after 10 ms to 1.3 s, and at which rates. Rooms and noise smooth them. */
export class ModulationStatistics {
  static readonly stateLength = 2 * lags.length + 2 + borders.length - 1;
  readonly #state: Float64Array;
  readonly #products: Float64Array;
  readonly #pairs: Float64Array;
  /** Sum of squares, and rows. */
  readonly #variance: Float64Array;
  readonly #rates: Float64Array;

  constructor(state: Float64Array) {
    this.#state = state;
    this.#products = state.subarray(0, lags.length);
    this.#pairs = state.subarray(lags.length, 2 * lags.length);
    this.#variance = state.subarray(2 * lags.length, 2 * lags.length + 2);
    this.#rates = state.subarray(2 * lags.length + 2);
  }

  /** Levels in dB against the top, one a row; rates see them in steps of 0.25 dB. */
  add(levels: Float64Array): void {
    addTo('addModulations', this.#state, levels);
  }

  features(put: FeatureSink, prefix: string): void {
    const variance = this.#variance[0]! / Math.max(1, this.#variance[1]!);
    const names = namesOf(prefix);
    let next = 0;
    put(names[next++]!, Math.sqrt(variance));
    for (let at = 0; at < lags.length; at++)
      put(names[next++]!, this.#products[at]! / Math.max(1, this.#pairs[at]!) / (variance + 0.01));
    const all = this.#rates.reduce((sum, energy) => sum + energy, 1e-9);
    for (const energy of this.#rates) put(names[next++]!, 10 * Math.log10(energy / all + 1e-5));
  }
}
