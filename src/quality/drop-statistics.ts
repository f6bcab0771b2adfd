import type { FeatureSink } from './feature-sink.ts';
import { Histogram } from './histogram.ts';

const dropsDb = [3, 6, 9, 12, 18, 24];
const bins = 24;
const longestRows = 100;
const longest = Math.log(longestRows);
const percents = [15, 40, 70];
/** A peak stands out of the noise by this, and is the loudest of so many rows before and behind it. */
const leastPeakDb = 9;
const reachRows = 2;
/** So near the noise nothing is followed any more. */
const nearNoiseDb = 3;
/** Where it gets louder again by this, somebody spoke on. */
const riseDb = 5;

/** How long the peaks of a narrow band take to fall by 3 to 24 dB, as far as they can be followed above the noise. */
export class DropStatistics {
  static readonly stateLength = dropsDb.length * (bins + 1);
  readonly #times: Histogram[];
  /** For each drop: the peaks high enough above the noise to show it. */
  readonly #peaks: Float64Array;

  constructor(state: Float64Array) {
    this.#times = dropsDb.map(
      (_, at) => new Histogram(state.subarray(at * bins, (at + 1) * bins), 0, longest),
    );
    this.#peaks = state.subarray(dropsDb.length * bins);
  }

  /** Levels in dB above the noise, one a row. */
  add(levels: Float64Array): void {
    for (let i = reachRows; i + reachRows < levels.length; i++)
      if (levels[i]! >= leastPeakDb && isPeak(levels, i)) this.#follow(levels, i);
  }

  #follow(levels: Float64Array, from: number): void {
    const peak = levels[from]!;
    let shown = 0;
    while (shown < dropsDb.length && peak - dropsDb[shown]! >= nearNoiseDb) this.#peaks[shown++]! += 1;
    let lowest = peak;
    let at = 0;
    const end = Math.min(levels.length, from + longestRows);
    for (let i = from + 1; i < end && at < shown; i++) {
      const level = levels[i]!;
      if (level > lowest + riseDb) return;
      lowest = Math.min(lowest, level);
      for (; at < shown && level <= peak - dropsDb[at]!; at++) this.#times[at]!.add(Math.log(i - from));
    }
  }

  features(put: FeatureSink, prefix: string): void {
    for (const [at, drop] of dropsDb.entries()) {
      for (const percent of percents)
        put(`${prefix} drop ${drop} ${percent}`, this.#times[at]!.percentile(percent, longest));
      put(`${prefix} drops ${drop}`, this.#times[at]!.total / (this.#peaks[at]! + 1));
    }
  }
}

function isPeak(levels: Float64Array, at: number): boolean {
  for (let k = 1; k <= reachRows; k++)
    if (levels[at - k]! >= levels[at]! || levels[at + k]! > levels[at]!) return false;
  return true;
}
