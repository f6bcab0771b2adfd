import { QualityMeter } from '../quality/quality-meter.ts';

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
    const { hasEnoughSpeech, hasSpeech } = this.meter;
    return hasEnoughSpeech || (hasSpeech && this.#excerpts >= enoughExcerpts);
  }

  /** Excerpts follow one another. */
  push(samples: Int16Array, fromSample: number): void {
    this.#push(samples, fromSample);
    this.#excerpts += 1;
  }

  /** What was found between excerpts, where nobody had spoken before. */
  pushFound(samples: Int16Array, fromSample: number): void {
    if (!this.meter.hasSpeech) {
      this.#passTo(fromSample);
      this.meter.passedWasSilent();
    }
    this.#push(samples, fromSample);
    this.meter.passOver(0);
  }

  #push(samples: Int16Array, fromSample: number): void {
    this.#passTo(fromSample);
    this.meter.push(samples);
    // What lacks a moment of a block is not kept until the next comes: of many recordings that would be most of their memory.
    if (samples.length >= leastBlockSeconds * this.#rateHz) this.meter.passOver(0);
    this.#toSample = Math.max(this.#toSample, fromSample + samples.length);
  }

  #passTo(sample: number): void {
    if (sample <= this.#toSample) return;
    this.meter.passOver(sample - this.#toSample);
    this.#toSample = sample;
  }
}
