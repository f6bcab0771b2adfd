import { type FeatureSink, namesOnce } from './feature-sink.ts';
import { Histogram } from './histogram.ts';
import { addTo } from './kernel.ts';

const fallsDb = [6, 12, 18, 24, 30];
const bins = 24;
const longestRows = 300;
const longest = Math.log(longestRows);
const percents = [10, 30, 60];
const found = new Float64Array(percents.length);
const namesOf = namesOnce((prefix) =>
  fallsDb.flatMap((fall) => [
    ...percents.map((percent) => `${prefix} fall ${fall} ${percent}`),
    `${prefix} falls ${fall}`,
  ]),
);

/**
 * How long it takes until the level has fallen by 6 to 30 dB once somebody stops: a room lets it fall no faster. A fall
 * begins at a row less than 12 dB under the top with nothing as loud in the 250 ms behind it, and ends where it gets
 * louder again by 6 dB.
 */
export class FallStatistics {
  static readonly stateLength = fallsDb.length * bins + 1;
  readonly #state: Float64Array;
  readonly #times: Histogram[];
  readonly #events: Float64Array;

  constructor(state: Float64Array) {
    this.#state = state;
    this.#times = fallsDb.map(
      (_, at) => new Histogram(state.subarray(at * bins, (at + 1) * bins), 0, longest),
    );
    this.#events = state.subarray(fallsDb.length * bins);
  }

  /** Levels in dB against the top, one a row. */
  add(levels: Float64Array): void {
    addTo('addFalls', this.#state, levels);
  }

  features(put: FeatureSink, prefix: string): void {
    const names = namesOf(prefix);
    let next = 0;
    for (const times of this.#times) {
      const { total } = times;
      times.percentiles(percents, longest, total, found);
      for (let i = 0; i < percents.length; i++) put(names[next++]!, found[i]!);
      put(names[next++]!, total / (this.#events[0]! + 1));
    }
  }
}
