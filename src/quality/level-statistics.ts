import { bandCount, hopsPerSecond, leastDbov, rowLength, stepsPerDb } from './band-levels.ts';
import { type FeatureSink, namesOnce } from './feature-sink.ts';
import { Histogram } from './histogram.ts';
import { kernel } from './kernel.ts';

/** Nobody speaks as softly as this, */
const leastSpeechDbov = -62;
/** nor as evenly as this. */
const leastSpreadDb = 5;
const bins = -leastDbov;
/** Between these noise is as even as this. */
const evenPercents = { from: 1, to: 15 };
const evenDb = 5;
/** Softer than this, against the loudest, all is alike. */
const dynamicRangeDb = 60;
const topPercent = 95;
const softPercent = 5;
/** Of fewer rows with audio in them it is not said that they are steady: 1 s. */
const leastSteadyRows = hopsPerSecond;
const leastAudioDbov = -85;
const wholePercents = [0.5, 1, 3, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 99];
const bandPercents = [1, 5, 15, 30, 50, 80];
const bandAndTopPercents = [...bandPercents, topPercent];
/** The level that nearly all others lie above. */
const softAt = bandPercents.indexOf(5);
const found = new Float64Array(Math.max(wholePercents.length, bandAndTopPercents.length));
const namesOf = namesOnce(() => [
  ...wholePercents.map((percent) => `level ${percent}`),
  ...Array.from({ length: bandCount }, (_, band) => [
    ...bandPercents.map((percent) => `band ${band} level ${percent}`),
    ...[`band ${band} speech`, `band ${band} noise`],
  ]).flat(),
]);

/** Of rows of levels that follow one another, in dBov: what nearly all of those with audio in them lie above, and under. */
export interface LevelRange {
  softDbov: number;
  topDbov: number;
  floor: Floor;
}

/** What the softest moments are like. */
export interface Floor {
  dbov: number;
  /** They are so even that they are noise: whoever hardly pauses leaves few of it. Otherwise noise may lie lower. */
  isNoise: boolean;
}

/** @returns undefined where there is hardly any audio */
export function levelRange(rows: Uint8Array, count: number): LevelRange | undefined {
  const levels = new Uint8Array(count);
  let audible = 0;
  for (let row = 0; row < count; row++) {
    const level = rows[row * rowLength + bandCount]!;
    if (level > (leastAudioDbov - leastDbov) * stepsPerDb) levels[audible++] = level;
  }
  if (audible < leastSteadyRows) return undefined;
  const sorted = levels.subarray(0, audible).sort();
  const at = (percent: number) => sorted[Math.floor((percent / 100) * audible)]! / stepsPerDb + leastDbov;
  const { softDbov, topDbov } = { softDbov: at(softPercent), topDbov: at(topPercent) };
  const isNoise = at(evenPercents.to) - at(evenPercents.from) <= evenDb;
  return { softDbov, topDbov, floor: { dbov: isNoise ? softDbov : at(evenPercents.from), isNoise } };
}

/** As even as nobody speaks. */
export function isSteady({ softDbov, topDbov }: LevelRange): boolean {
  return topDbov - softDbov <= leastSpreadDb;
}

/**
 * How the levels of all bands are distributed: where the noise lies under the speech, and in which bands. Under -85 dBov
 * there is no audio: a gap, a mute, silence suppression. It tells nothing of the noise.
 */
export class LevelStatistics {
  static readonly stateLength = rowLength * bins + 3;
  readonly #state: Float64Array;
  readonly #histograms: Histogram[];
  /** Sum of powers; steps between neighbouring soft rows: sum of squares and their number. */
  readonly #sums: Float64Array;

  constructor(state: Float64Array) {
    this.#state = state;
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
    const softDbov = this.#histograms[bandCount]!.percentile(softPercent, leastDbov);
    return this.topDbov > leastSpeechDbov && this.topDbov - softDbov > leastSpreadDb;
  }

  /** `count` rows of `rowLength` level steps, as they follow one another. */
  add(rows: Uint8Array, count: number): void {
    kernel().rows.set(rows.subarray(0, count * rowLength));
    kernel().add('addLevels', this.#state, count);
  }

  features(put: FeatureSink): void {
    // A row counts once in each.
    const total = this.rows;
    const relative = (level: number, top: number) => Math.max(-dynamicRangeDb, level - top);
    const whole = this.#histograms[bandCount]!;
    const top = this.topDbov;
    const soft = whole.percentile(softPercent, leastDbov, total);
    const names = namesOf('');
    let next = 0;
    whole.percentiles(wholePercents, leastDbov, total, found);
    for (let i = 0; i < wholePercents.length; i++) put(names[next++]!, relative(found[i]!, top));
    for (let band = 0; band < bandCount; band++) {
      this.#histograms[band]!.percentiles(bandAndTopPercents, leastDbov, total, found);
      const bandTop = found[bandPercents.length]!;
      for (let i = 0; i < bandPercents.length; i++) put(names[next++]!, relative(found[i]!, bandTop));
      put(names[next++]!, relative(bandTop, top));
      put(names[next++]!, relative(found[softAt]!, soft));
    }
    put('mean level', 10 * Math.log10(this.#sums[0]! / Math.max(1, this.rows) + 1e-13) - top);
    put('unrest of soft', Math.sqrt(this.#sums[1]! / (this.#sums[2]! + 1)));
  }
}
