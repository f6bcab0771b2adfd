import { type FeatureSink, namesOnce } from './feature-sink.ts';
import { Histogram } from './histogram.ts';
import { addTo } from './kernel.ts';

/** Rows a line is laid through. */
const spans = [5, 10, 20, 40, 80];
const bins = 64;
/** dB a second, their size on a scale that is logarithmic above 20: `log1p(size / 20)`. */
const range = 4;
const percents = [2, 8, 20, 35, 50, 70, 90, 98];
const partLength = bins + 4;
const found = new Float64Array(percents.length);
const namesOf = namesOnce((prefix) =>
  spans.flatMap((span) => [
    ...percents.map((percent) => `${prefix} slope ${span} ${percent}`),
    ...[`${prefix} falling ${span}`, `${prefix} rising ${span}`],
  ]),
);

/**
 * How fast levels fall and rise over 50 to 800 ms. Speech falls as fast as the room lets it: the distribution of the
 * negative slopes narrows as the reverberation grows (Wen, Habets and Naylor 2008). Lines whose middle lies more than 30 dB
 * under the top tell of noise, and do not count.
 */
export class SlopeStatistics {
  static readonly stateLength = spans.length * partLength;
  readonly #state: Float64Array;
  readonly #histograms: Histogram[];
  /** For each span: sum of squares and number of the falling ones, and of the rising. */
  readonly #sums: Float64Array[];

  constructor(state: Float64Array) {
    this.#state = state;
    const parts = spans.map((_, at) => state.subarray(at * partLength, (at + 1) * partLength));
    this.#histograms = parts.map((part) => new Histogram(part.subarray(0, bins), -range, range));
    this.#sums = parts.map((part) => part.subarray(bins));
  }

  /** Levels in dB against the top, one a row. */
  add(levels: Float64Array): void {
    addTo('addSlopes', this.#state, levels);
  }

  features(put: FeatureSink, prefix: string): void {
    const names = namesOf(prefix);
    let next = 0;
    for (let at = 0; at < spans.length; at++) {
      const histogram = this.#histograms[at]!;
      const { total } = histogram;
      histogram.percentiles(percents, 0, total, found);
      for (let i = 0; i < percents.length; i++) put(names[next++]!, found[i]!);
      const [falling, falls, rising, rises] = this.#sums[at]! as unknown as [number, number, number, number];
      put(names[next++]!, Math.log1p(Math.sqrt(falling / (falls + 1)) / 20));
      put(names[next++]!, Math.log1p(Math.sqrt(rising / (rises + 1)) / 20));
    }
  }
}
