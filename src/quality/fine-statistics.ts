import { fineBandCount } from './band-levels.ts';
import { DropStatistics } from './drop-statistics.ts';
import { EnvelopeStatistics } from './envelope-statistics.ts';
import { type FeatureSink, namesOnce } from './feature-sink.ts';
import { kernel } from './kernel.ts';

const regions = 6;
const namesOf = namesOnce((prefix) => [`${prefix} mean`, `${prefix} top`]);
const regionLength = 3 + EnvelopeStatistics.stateLength + DropStatistics.stateLength;

/**
 * What stands out of the noise in narrow bands, eight of them together: the harmonics of a voice do where the voice as
 * a whole does not, and a room can be heard in them. Noise further under the loudest band of all than 60 dB counts as
 * so far; fewer rows than 100 tell nothing of the noise.
 */
export class FineStatistics {
  static readonly stateLength = regions * regionLength;
  readonly #state: Float64Array;
  /** For each region: sums of the mean and the top level above the noise, and the number of them. */
  readonly #sums: Float64Array[] = [];
  readonly #envelopes: EnvelopeStatistics[] = [];
  readonly #drops: DropStatistics[] = [];

  constructor(state: Float64Array) {
    this.#state = state;
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
    kernel().fineRows.set(rows.subarray(0, count * fineBandCount));
    kernel().add('addFine', this.#state, count);
  }

  features(put: FeatureSink): void {
    for (let region = 0; region < regions; region++) {
      const prefix = `fine ${region}`;
      const [means, tops, bands] = this.#sums[region]! as unknown as [number, number, number];
      const [mean, top] = namesOf(prefix);
      put(mean!, means / Math.max(1, bands));
      put(top!, tops / Math.max(1, bands));
      this.#envelopes[region]!.features(put, prefix);
      this.#drops[region]!.features(put, prefix);
    }
  }
}
