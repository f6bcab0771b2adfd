import { type FeatureSink, namesOnce } from './feature-sink.ts';
import { addTo } from './kernel.ts';

/** Rows of 20 ms apart. At the second, noise is no longer like itself: its frame is over. */
const reaches = [1, 2, 4, 8, 16, 32];
const lags = reaches.slice(1);
const asymmetryLags = reaches.slice(0, -1);
/** Of what is alike at the first lag, as a share of all: less is noise, and nothing is divided by it. */
const leastAlike = 0.02;
const namesOf = namesOnce((prefix) => [
  ...[`${prefix} spread`, `${prefix} alike`],
  ...lags.slice(1).map((lag) => `${prefix} alike ${lag}`),
  ...asymmetryLags.map((lag) => `${prefix} asymmetry ${lag}`),
]);

/**
 * How envelopes are like themselves 40 to 640 ms later, and how much longer they take to fall than to rise. Noise adds
 * to neither: it is like itself no longer than a frame, and the same backwards. Rooms add to both.
 */
export class EnvelopeStatistics {
  static readonly stateLength = 2 + lags.length + asymmetryLags.length;
  readonly #state: Float64Array;
  /** Sum of squares, and rows. */
  readonly #variance: Float64Array;
  readonly #products: Float64Array;
  readonly #asymmetries: Float64Array;

  constructor(state: Float64Array) {
    this.#state = state;
    this.#variance = state.subarray(0, 2);
    this.#products = state.subarray(2, 2 + lags.length);
    this.#asymmetries = state.subarray(2 + lags.length);
  }

  /** One value a row. */
  add(envelope: Float64Array): void {
    addTo('addEnvelope', this.#state, envelope);
  }

  features(put: FeatureSink, prefix: string): void {
    const [squares, rows] = this.#variance as unknown as [number, number];
    const deviation = Math.sqrt(squares / Math.max(1, rows));
    const names = namesOf(prefix);
    let next = 0;
    put(names[next++]!, deviation);
    const first = this.#products[0]!;
    put(names[next++]!, first / (squares + 1e-9));
    const base = Math.max(first, leastAlike * squares) + 1e-9;
    for (let at = 1; at < lags.length; at++)
      put(names[next++]!, Math.max(-1, Math.min(2, this.#products[at]! / base)));
    for (let at = 0; at < asymmetryLags.length; at++)
      put(names[next++]!, this.#asymmetries[at]! / (deviation ** 3 * rows + 1e-9));
  }
}
