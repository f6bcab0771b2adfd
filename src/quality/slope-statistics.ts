import { hopsPerSecond } from './band-levels.ts';
import type { FeatureSink } from './feature-sink.ts';
import { Histogram } from './histogram.ts';

/** Rows a line is laid through. */
const spans = [5, 10, 20, 40, 80];
const bins = 64;
/** In the compressed unit of `compressed`. */
const range = 4;
const percents = [2, 8, 20, 35, 50, 70, 90, 98];
/** Lines whose middle lies softer than this under the top tell of noise. */
const leastMeanDb = -30;
const partLength = bins + 4;

/**
 * How fast levels fall and rise over 50 to 800 ms. Speech falls as fast as the room lets it: the distribution of the
 * negative slopes narrows as the reverberation grows (Wen, Habets and Naylor 2008).
 */
export class SlopeStatistics {
  static readonly stateLength = spans.length * partLength;
  readonly #histograms: Histogram[];
  /** For each span: sum of squares and number of the falling ones, and of the rising. */
  readonly #sums: Float64Array[];

  constructor(state: Float64Array) {
    const parts = spans.map((_, at) => state.subarray(at * partLength, (at + 1) * partLength));
    this.#histograms = parts.map((part) => new Histogram(part.subarray(0, bins), -range, range));
    this.#sums = parts.map((part) => part.subarray(bins));
  }

  /** Levels in dB against the top, one a row. */
  add(levels: Float64Array): void {
    for (const [at, span] of spans.entries()) this.#addSpan(levels, at, span);
  }

  #addSpan(levels: Float64Array, at: number, span: number): void {
    const middle = (span - 1) / 2;
    const spread = (span * (span * span - 1)) / 12;
    const sums = this.#sums[at]!;
    let sum = 0;
    let moment = 0;
    for (let i = 0; i < levels.length; i++) {
      // The window moves by one: every row in it counts one place less, the new one stands last.
      if (i >= span) {
        const left = levels[i - span]!;
        sum -= left;
        moment -= sum;
        moment += (span - 1) * levels[i]!;
        sum += levels[i]!;
      } else {
        moment += i * levels[i]!;
        sum += levels[i]!;
        if (i < span - 1) continue;
      }
      if (sum / span < leastMeanDb) continue;
      const slope = ((moment - middle * sum) / spread) * hopsPerSecond;
      this.#histograms[at]!.add(compressed(slope));
      const side = slope < 0 ? 0 : 2;
      sums[side]! += slope * slope;
      sums[side + 1]! += 1;
    }
  }

  features(put: FeatureSink, prefix: string): void {
    for (const [at, span] of spans.entries()) {
      for (const percent of percents)
        put(`${prefix} slope ${span} ${percent}`, this.#histograms[at]!.percentile(percent, 0));
      const [falling, falls, rising, rises] = this.#sums[at]! as unknown as [number, number, number, number];
      put(`${prefix} falling ${span}`, Math.log1p(Math.sqrt(falling / (falls + 1)) / 20));
      put(`${prefix} rising ${span}`, Math.log1p(Math.sqrt(rising / (rises + 1)) / 20));
    }
  }
}

/** dB a second, its size on a scale that is logarithmic above 20. */
function compressed(slope: number): number {
  return Math.sign(slope) * Math.log1p(Math.abs(slope) / 20);
}
