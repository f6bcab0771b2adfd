import { Resampler } from '../audio/resample.ts';
import type { AudioRateHz } from './codec-table.ts';
import { maxSlotSamples, slotSamplesAt } from './codec-table.ts';

/**
 * Changes the rate of a stream slot by slot: 20 ms in, 20 ms out, later by the reach of the filter (2.5 ms at most).
 * A slot of silence behind another costs nothing.
 */
export class FrameResampler {
  readonly fromHz: AudioRateHz;
  readonly toHz: AudioRateHz;
  readonly frame: Int16Array;
  readonly #silence: Int16Array;
  #resampler: Resampler | undefined;

  constructor(fromHz: AudioRateHz, toHz: AudioRateHz) {
    this.fromHz = fromHz;
    this.toHz = toHz;
    this.frame = new Int16Array(slotSamplesAt(toHz));
    this.#silence = new Int16Array(slotSamplesAt(fromHz));
  }

  /** Goes on as if `slot` had come before; undefined: silence. */
  prime(slot: Int16Array | undefined): void {
    this.#resampler = new Resampler(this.fromHz, this.toHz);
    this.#resampler.push(slot ?? this.#silence, scratch);
  }

  /** @returns `frame`, valid until the next call */
  push(slot: Int16Array): Int16Array {
    if (!this.#resampler) this.prime(undefined);
    this.#resampler!.push(slot, this.frame);
    return this.frame;
  }

  /** A slot of silence. @returns undefined when nothing but silence comes out; else as `push` */
  pushSilence(): Int16Array | undefined {
    if (!this.#resampler) return undefined;
    this.#resampler.push(this.#silence, this.frame);
    this.#resampler = undefined;
    return this.frame;
  }
}

/** What priming gives is from before the stream and not wanted. */
const scratch = new Int16Array(maxSlotSamples);
