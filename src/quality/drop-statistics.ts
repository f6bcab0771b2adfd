import { type FeatureSink, namesOnce } from './feature-sink.ts';
import { Histogram } from './histogram.ts';
import { addTo } from './kernel.ts';

const dropsDb = [3, 6, 9, 12, 18, 24];
const bins = 24;
const longestRows = 100;
const longest = Math.log(longestRows);
const percents = [15, 40, 70];
const found = new Float64Array(percents.length);
const namesOf = namesOnce((prefix) =>
  dropsDb.flatMap((drop) => [
    ...percents.map((percent) => `${prefix} drop ${drop} ${percent}`),
    `${prefix} drops ${drop}`,
  ]),
);

/**
 * How long the peaks of a narrow band take to fall by 3 to 24 dB, as far as they can be followed above the noise: to
 * 3 dB from it, or to where it gets louder again by 5 dB, as somebody spoke on. A peak stands out of the noise by 9 dB
 * and is the loudest of two rows before and behind it.
 */
export class DropStatistics {
  static readonly stateLength = dropsDb.length * (bins + 1);
  readonly #state: Float64Array;
  readonly #times: Histogram[];
  /** For each drop: the peaks high enough above the noise to show it. */
  readonly #peaks: Float64Array;

  constructor(state: Float64Array) {
    this.#state = state;
    this.#times = dropsDb.map(
      (_, at) => new Histogram(state.subarray(at * bins, (at + 1) * bins), 0, longest),
    );
    this.#peaks = state.subarray(dropsDb.length * bins);
  }

  /** Levels in dB above the noise, one a row. */
  add(levels: Float64Array): void {
    addTo('addDrops', this.#state, levels);
  }

  features(put: FeatureSink, prefix: string): void {
    const names = namesOf(prefix);
    let next = 0;
    for (const [at, times] of this.#times.entries()) {
      const { total } = times;
      times.percentiles(percents, longest, total, found);
      for (let i = 0; i < percents.length; i++) put(names[next++]!, found[i]!);
      put(names[next++]!, total / (this.#peaks[at]! + 1));
    }
  }
}
