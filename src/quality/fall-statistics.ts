import type { FeatureSink } from './feature-sink.ts';
import { Histogram } from './histogram.ts';

const fallsDb = [6, 12, 18, 24, 30];
const bins = 24;
const longestRows = 300;
const longest = Math.log(longestRows);
const percents = [10, 30, 60];
/** A fall begins at a row this loud against the top, with nothing as loud in the 250 ms behind it, */
const leastBeginDb = -12;
const quietRows = 25;
/** and ends where it gets louder again by this. */
const riseDb = 6;

/** How long it takes until the level has fallen by 6 to 30 dB once somebody stops: a room lets it fall no faster. */
export class FallStatistics {
  static readonly stateLength = fallsDb.length * bins + 1;
  readonly #times: Histogram[];
  readonly #events: Float64Array;

  constructor(state: Float64Array) {
    this.#times = fallsDb.map(
      (_, at) => new Histogram(state.subarray(at * bins, (at + 1) * bins), 0, longest),
    );
    this.#events = state.subarray(fallsDb.length * bins);
  }

  /** Levels in dB against the top, one a row. */
  add(levels: Float64Array): void {
    for (let i = 1; i + quietRows < levels.length; i++) {
      if (levels[i]! < leastBeginDb || levels[i]! < levels[i - 1]! || !isLoudest(levels, i)) continue;
      this.#events[0]! += 1;
      this.#follow(levels, i);
    }
  }

  #follow(levels: Float64Array, from: number): void {
    let lowest = levels[from]!;
    let at = 0;
    const end = Math.min(levels.length, from + longestRows);
    for (let i = from + 1; i < end && at < fallsDb.length; i++) {
      const level = levels[i]!;
      if (level > lowest + riseDb) return;
      lowest = Math.min(lowest, level);
      for (; at < fallsDb.length && level <= levels[from]! - fallsDb[at]!; at++)
        this.#times[at]!.add(Math.log(i - from + 0.5));
    }
  }

  features(put: FeatureSink, prefix: string): void {
    for (const [at, fall] of fallsDb.entries()) {
      for (const percent of percents)
        put(`${prefix} fall ${fall} ${percent}`, this.#times[at]!.percentile(percent, longest));
      put(`${prefix} falls ${fall}`, this.#times[at]!.total / (this.#events[0]! + 1));
    }
  }
}

function isLoudest(levels: Float64Array, at: number): boolean {
  for (let i = at + 1; i <= at + quietRows; i++) if (levels[i]! >= levels[at]!) return false;
  return true;
}
