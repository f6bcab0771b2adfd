import { FractionalResampler } from '../audio/fractional-resampler.ts';
import type { ExactSpan } from '../timeline/placement.ts';

/** A step of the resampler's output at a time. */
const blockSamples = 1024;

/**
 * Audio of one codec without a break whose clock is followed (`timeline/clock-drift.ts`): samples that lie between those
 * of the recording, as samples of the recording.
 */
export class FollowedClock {
  readonly fromHz: number;
  readonly #resampler: FractionalResampler;
  readonly #write: (atSample: number, samples: Int16Array) => void;
  readonly #block = new Int16Array(blockSamples);
  #endSample: number;
  #exactEnd: number;

  /**
   * @param atSample where it begins
   * @param before decoded samples that lie just before it
   * @param write takes the recording's samples, in order; they are valid during the call
   */
  constructor(
    { fromHz, rateHz, atSample }: { fromHz: number; rateHz: number; atSample: number },
    before: Int16Array,
    write: (atSample: number, samples: Int16Array) => void,
  ) {
    this.fromHz = fromHz;
    this.#resampler = new FractionalResampler(fromHz / rateHz, atSample, before);
    this.#write = write;
    this.#endSample = atSample;
    this.#exactEnd = atSample;
  }

  /** In whole samples of the recording, as everything is placed. */
  get endSample(): number {
    return this.#endSample;
  }

  /**
   * @param endSample where it ends in the recording: the rest of the samples is not heard
   */
  push(samples: Int16Array, { fromSample, toSample }: ExactSpan, endSample: number): void {
    this.#resampler.push(samples, fromSample, toSample);
    this.#endSample = endSample;
    this.#exactEnd = toSample;
    this.#drain();
  }

  /** What stands in for a loss, up to where the packet behind it begins. */
  pushLost(samples: Int16Array, toSample: number, endSample: number): void {
    if (samples.length > 0) this.push(samples, { fromSample: this.#exactEnd, toSample }, endSample);
  }

  /** Nothing follows without a break. */
  finish(): void {
    this.#resampler.finish();
    this.#drain();
  }

  #drain(): void {
    for (;;) {
      const { position } = this.#resampler;
      const made = this.#resampler.read(this.#endSample, this.#block);
      if (made === 0) return;
      this.#write(position, this.#block.subarray(0, made));
    }
  }
}
