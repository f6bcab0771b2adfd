import { bandCount, leastDbov, rowLength, stepsPerDb } from './band-levels.ts';
import type { FeatureSink } from './feature-sink.ts';
import { Histogram } from './histogram.ts';

/** Under this there is no audio: a gap, a mute, silence suppression. It tells nothing of the noise. */
export const leastAudioDbov = -85;
/** Nobody speaks as softly as this, */
const leastSpeechDbov = -62;
/** nor as evenly as this. */
const leastSpreadDb = 5;
const bins = -leastDbov;
/** Softer than this, against the loudest, all is alike. */
const dynamicRangeDb = 60;
const topPercent = 95;
const wholePercents = [0.5, 1, 3, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 99];
const bandPercents = [1, 5, 15, 30, 50, 80];

/** How the levels of all bands are distributed: where the noise lies under the speech, and in which bands. */
export class LevelStatistics {
  static readonly stateLength = rowLength * bins + 3;
  readonly #histograms: Histogram[];
  /** Sum of powers; steps between neighbouring soft rows: sum of squares and their number. */
  readonly #sums: Float64Array;

  constructor(state: Float64Array) {
    this.#histograms = Array.from(
      { length: rowLength },
      (_, band) => new Histogram(state.subarray(band * bins, (band + 1) * bins), leastDbov, 0),
    );
    this.#sums = state.subarray(rowLength * bins);
  }

  get rows(): number {
    return this.#histograms[bandCount]!.total;
  }

  /** The level that speech reaches, in dBov. */
  get topDbov(): number {
    return this.#histograms[bandCount]!.percentile(topPercent, leastDbov);
  }

  /** Steady sound is no speech: noise, a tone, comfort noise. Speech stands out from noise as loud as itself. */
  get isSpeech(): boolean {
    const softDbov = this.#histograms[bandCount]!.percentile(5, leastDbov);
    return this.topDbov > leastSpeechDbov && this.topDbov - softDbov > leastSpreadDb;
  }

  /** `count` rows of `rowLength` level steps, as they follow one another. */
  add(rows: Uint8Array, count: number): void {
    for (let i = 0; i < count; i++) {
      const whole = levelAt(rows, i, bandCount);
      if (whole <= leastAudioDbov) continue;
      for (let band = 0; band < rowLength; band++) this.#histograms[band]!.add(levelAt(rows, i, band));
      this.#sums[0]! += 10 ** (whole / 10);
    }
    const soft = this.#histograms[bandCount]!.percentile(20, leastDbov);
    for (let i = 1; i < count; i++) {
      const whole = levelAt(rows, i, bandCount);
      const before = levelAt(rows, i - 1, bandCount);
      if (whole > soft || whole <= leastAudioDbov || before <= leastAudioDbov) continue;
      this.#sums[1]! += (whole - before) ** 2;
      this.#sums[2]! += 1;
    }
  }

  features(put: FeatureSink): void {
    const relative = (histogram: Histogram, percent: number, top: number) =>
      Math.max(-dynamicRangeDb, histogram.percentile(percent, leastDbov) - top);
    const whole = this.#histograms[bandCount]!;
    const top = this.topDbov;
    for (const percent of wholePercents) put(`level ${percent}`, relative(whole, percent, top));
    for (let band = 0; band < bandCount; band++) {
      const histogram = this.#histograms[band]!;
      const bandTop = histogram.percentile(topPercent, leastDbov);
      for (const percent of bandPercents)
        put(`band ${band} level ${percent}`, relative(histogram, percent, bandTop));
      put(`band ${band} speech`, Math.max(-dynamicRangeDb, bandTop - top));
      put(`band ${band} noise`, relative(histogram, 5, whole.percentile(5, leastDbov)));
    }
    put('mean level', 10 * Math.log10(this.#sums[0]! / Math.max(1, this.rows) + 1e-13) - top);
    put('unrest of soft', Math.sqrt(this.#sums[1]! / (this.#sums[2]! + 1)));
  }
}

/** In dBov. */
export function levelAt(rows: Uint8Array, row: number, band: number): number {
  return leastDbov + rows[row * rowLength + band]! / stepsPerDb;
}
