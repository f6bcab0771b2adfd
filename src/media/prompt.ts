import { Resampler } from '../audio/resample.ts';
import { type AudioRateHz, audioRatesHz } from './codec-table.ts';
import type { PlayStart } from './control.ts';

/** Parts of a prompt of another rate that are resampled at once. */
const partsPerSecond = 50;

/** Audio for one leg, read at the leg's rate, to the sample. */
export class Prompt {
  readonly playId: string;
  readonly overRoom: 'mix' | 'replace';
  /** How much the leg was sent of it. */
  sentMs = 0;
  readonly #samples: Int16Array;
  /** It has no end of its own. */
  readonly loops: boolean;
  /** The next sample to read, or to resample. */
  #position = 0;
  readonly #rateHz: number;
  #resampler: Resampler | undefined;
  #resampled = new Int16Array(0);
  #resampledFrom = 0;
  #resampledTo = 0;
  #flushed = false;
  /** Where in the prompt the rate was set, and what was read at it since. */
  #rateFrom = 0;
  #outRateHz: AudioRateHz;
  #readSamples = 0;

  constructor(
    { playId, samples, rateHz, loop = false, overRoom = 'mix' }: PlayStart,
    outRateHz: AudioRateHz = audioRatesHz[0],
  ) {
    this.playId = playId;
    this.overRoom = overRoom;
    this.#samples = samples;
    this.loops = loop && samples.length > 0;
    this.#rateHz = rateHz;
    this.#outRateHz = outRateHz;
    this.#useRate();
  }

  /** Goes on at another rate from where it is. */
  setRate(outRateHz: AudioRateHz): void {
    if (outRateHz === this.#outRateHz) return;
    const { length } = this.#samples;
    const read = this.#rateFrom + Math.round((this.#readSamples * this.#rateHz) / this.#outRateHz);
    this.#position = this.loops ? read % length : Math.min(read, length);
    this.#outRateHz = outRateHz;
    this.#useRate();
  }

  #useRate(): void {
    this.#rateFrom = this.#position;
    this.#readSamples = 0;
    this.#resampledFrom = this.#resampledTo = 0;
    this.#flushed = false;
    this.#resampler =
      this.#rateHz === this.#outRateHz ? undefined : new Resampler(this.#rateHz, this.#outRateHz);
    this.#resampled = new Int16Array(this.#resampler?.maxOutput(this.#rateHz / partsPerSecond) ?? 0);
  }

  /** Samples held in memory. */
  get length(): number {
    return this.#samples.length;
  }

  get ended(): boolean {
    if (this.#resampler) return this.#resampledFrom === this.#resampledTo && !this.#resample();
    return !this.loops && this.#position === this.#samples.length;
  }

  /**
   * Writes the next samples into `out` from index `from` on, as many as fit and are there.
   * @returns the index behind the last one
   */
  read(out: Int16Array, from: number): number {
    let at = from;
    while (at < out.length && !this.ended)
      at = this.#resampler ? this.#readResampled(out, at) : this.#readPlain(out, at);
    this.#readSamples += at - from;
    return at;
  }

  #readPlain(out: Int16Array, from: number): number {
    if (this.#position === this.#samples.length) this.#position = 0;
    const count = Math.min(out.length - from, this.#samples.length - this.#position);
    for (let i = 0; i < count; i++) out[from + i] = this.#samples[this.#position + i]!;
    this.#position += count;
    return from + count;
  }

  #readResampled(out: Int16Array, from: number): number {
    const count = Math.min(out.length - from, this.#resampledTo - this.#resampledFrom);
    for (let i = 0; i < count; i++) out[from + i] = this.#resampled[this.#resampledFrom + i]!;
    this.#resampledFrom += count;
    return from + count;
  }

  /** The next part; a loop goes through the filter as one endless stream. @returns false at the end */
  #resample(): boolean {
    const resampler = this.#resampler!;
    this.#resampledFrom = this.#resampledTo = 0;
    while (this.#resampledTo === 0 && !this.#flushed) {
      if (this.#position === this.#samples.length && this.loops) this.#position = 0;
      const part = this.#samples.subarray(this.#position, this.#position + resampler.fromHz / partsPerSecond);
      this.#position += part.length;
      this.#flushed = part.length === 0;
      this.#resampledTo = this.#flushed
        ? resampler.flush(this.#resampled)
        : resampler.push(part, this.#resampled);
    }
    return this.#resampledTo > 0;
  }
}
