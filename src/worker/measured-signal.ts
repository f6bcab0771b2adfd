import { QualityMeter } from '../quality/quality-meter.ts';
import { recordedSamplesOf } from '../render/pause-map.ts';
import type { PauseView } from '../render/track-source.ts';

/** So much of an excerpt is a block by itself. */
const leastBlockSeconds = 8;
/** From so many excerpts on figures change little. */
const enoughExcerpts = 3;

/** A signal of a recording that is measured, a track or the mix, and how far it was measured or passed over. */
export class MeasuredSignal {
  readonly meter: QualityMeter;
  readonly #rateHz: number;
  #toSample: number;
  #excerpts = 0;

  constructor(rateHz: number, fromSample: number) {
    this.meter = new QualityMeter(rateHz);
    this.#rateHz = rateHz;
    this.#toSample = fromSample;
  }

  /** Whether anything was measured. */
  get isMeasured(): boolean {
    return this.meter.samples > 0;
  }

  /** Enough is known: more of it changes little. */
  get isKnown(): boolean {
    return this.isHeardEnough || (this.meter.hasSpeech && this.#excerpts >= enoughExcerpts);
  }

  /** Somebody spoke for long enough: from here on half as many excerpts will do. */
  get isHeardEnough(): boolean {
    return this.meter.hasEnoughSpeech;
  }

  /** Excerpts follow one another. */
  push(samples: Int16Array, fromSample: number, pauses: readonly PauseView[]): void {
    this.#passTo(fromSample, pauses);
    this.meter.push(samples);
    this.#pushed(samples, fromSample, pauses);
    this.#excerpts += 1;
  }

  /** What was found between excerpts, where nobody had spoken before. */
  pushFound(samples: Int16Array, fromSample: number, pauses: readonly PauseView[]): void {
    if (!this.meter.hasSpeech) {
      this.#passTo(fromSample, pauses);
      this.meter.passedWasSilent();
    }
    this.#passTo(fromSample, pauses);
    this.meter.pushChosen(samples);
    this.#pushed(samples, fromSample, pauses);
    this.meter.passOver(0);
  }

  /** It ends there: whoever was hardly heard was searched for up to then. */
  endAt(sample: number, pauses: readonly PauseView[]): void {
    this.#passTo(sample, pauses);
    if (!this.meter.hasSpeech) this.meter.passedWasSilent();
  }

  #pushed(samples: Int16Array, fromSample: number, pauses: readonly PauseView[]): void {
    const toSample = fromSample + samples.length;
    this.meter.leaveOut(samples.length - recordedSamplesOf({ fromSample, toSample }, pauses));
    // What lacks a moment of a block is not kept until the next comes: of many recordings that would be most of their memory.
    if (samples.length >= leastBlockSeconds * this.#rateHz) this.meter.passOver(0);
    this.#toSample = Math.max(this.#toSample, toSample);
  }

  #passTo(toSample: number, pauses: readonly PauseView[]): void {
    const fromSample = this.#toSample;
    if (toSample <= fromSample) return;
    this.meter.passOver(recordedSamplesOf({ fromSample, toSample }, pauses));
    this.#toSample = toSample;
  }
}
