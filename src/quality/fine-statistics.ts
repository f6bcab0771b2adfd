import { aboveNoise, noiseLevel, topLevel } from './above-noise.ts';
import { fineBandCount } from './band-levels.ts';
import { DropStatistics } from './drop-statistics.ts';
import { EnvelopeStatistics } from './envelope-statistics.ts';
import type { FeatureSink } from './feature-sink.ts';

const regions = 6;
const bandsEach = fineBandCount / regions;
/** Noise further under the loudest band of all counts as so far. */
const deepestDb = 60;
/** Fewer rows than this tell nothing of the noise. */
const leastRows = 100;
const regionLength = 3 + EnvelopeStatistics.stateLength + DropStatistics.stateLength;

/**
 * What stands out of the noise in narrow bands, eight of them together: the harmonics of a voice do where the voice as
 * a whole does not, and a room can be heard in them.
 */
export class FineStatistics {
  static readonly stateLength = regions * regionLength;
  /** For each region: sums of the mean and the top level above the noise, and the number of them. */
  readonly #sums: Float64Array[] = [];
  readonly #envelopes: EnvelopeStatistics[] = [];
  readonly #drops: DropStatistics[] = [];

  constructor(state: Float64Array) {
    let at = 0;
    const next = (length: number): Float64Array => state.subarray(at, (at += length));
    for (let region = 0; region < regions; region++) {
      this.#sums.push(next(3));
      this.#envelopes.push(new EnvelopeStatistics(next(EnvelopeStatistics.stateLength)));
      this.#drops.push(new DropStatistics(next(DropStatistics.stateLength)));
    }
  }

  /** `count` rows of `fineBandCount` level steps, as they follow one another. */
  addBlock(rows: Uint8Array, count: number): void {
    if (count < leastRows) return;
    const bands = Array.from({ length: fineBandCount }, (_, band) => {
      const steps = new Uint8Array(count);
      for (let row = 0; row < count; row++) steps[row] = rows[row * fineBandCount + band]!;
      return { steps, top: topLevel(steps) };
    });
    const leastNoise = Math.max(...bands.map(({ top }) => top)) - deepestDb;
    for (const [band, { steps, top }] of bands.entries()) {
      const region = Math.floor(band / bandsEach);
      const noise = Math.max(leastNoise, noiseLevel(steps));
      const levels = aboveNoise(steps, noise);
      const sums = this.#sums[region]!;
      sums[0]! += meanOf(levels);
      sums[1]! += top - noise;
      sums[2]! += 1;
      this.#envelopes[region]!.add(levels);
      this.#drops[region]!.add(levels);
    }
  }

  features(put: FeatureSink): void {
    for (let region = 0; region < regions; region++) {
      const prefix = `fine ${region}`;
      const [means, tops, bands] = this.#sums[region]! as unknown as [number, number, number];
      put(`${prefix} mean`, means / Math.max(1, bands));
      put(`${prefix} top`, tops / Math.max(1, bands));
      this.#envelopes[region]!.features(put, prefix);
      this.#drops[region]!.features(put, prefix);
    }
  }
}

function meanOf(levels: Float64Array): number {
  let sum = 0;
  for (let row = 0; row < levels.length; row++) sum += levels[row]!;
  return sum / levels.length;
}
