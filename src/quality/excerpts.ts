import { Resampler } from '../audio/resample.ts';
import { analysisRateHz } from './band-levels.ts';

export interface ExcerptSink {
  /** `samples[start..end)` at 8 kHz; the array is reused. */
  excerpt(samples: Int16Array, start: number, end: number): void;
  /** What comes next does not follow what came before. */
  endExcerpt(): void;
}

const excerptSeconds = 10;
/** The first two minutes are analysed as a whole, then ten seconds of each minute. */
const wholeExcerpts = 12;
const everyExcerpt = 6;
const chunkSamples = 4096;

/** Chooses what of a signal is analysed, so that an hour costs little more than minutes, and brings it to 8 kHz. */
export class Excerpts {
  readonly #sink: ExcerptSink;
  readonly #rateHz: number;
  readonly #excerptSamples: number;
  #position = 0;
  #resampler: Resampler | undefined;
  #resampled = new Int16Array(0);

  constructor(rateHz: number, sink: ExcerptSink) {
    this.#rateHz = rateHz;
    this.#excerptSamples = excerptSeconds * rateHz;
    this.#sink = sink;
  }

  push(samples: Int16Array, start: number, end: number): void {
    for (let at = start; at < end; ) {
      const index = Math.floor(this.#position / this.#excerptSamples);
      const left = (index + 1) * this.#excerptSamples - this.#position;
      const take = Math.min(end - at, left);
      if (isAnalysed(index)) this.#analyse(samples, at, at + take);
      this.#position += take;
      at += take;
      if (take === left && isAnalysed(index)) {
        this.#resampler = undefined;
        this.#sink.endExcerpt();
      }
    }
  }

  #analyse(samples: Int16Array, start: number, end: number): void {
    if (this.#rateHz === analysisRateHz) {
      this.#sink.excerpt(samples, start, end);
      return;
    }
    this.#resampler ??= new Resampler(this.#rateHz, analysisRateHz);
    for (let at = start; at < end; at += chunkSamples) {
      const chunk = samples.subarray(at, Math.min(end, at + chunkSamples));
      const room = this.#resampler.maxOutput(chunk.length);
      if (this.#resampled.length < room) this.#resampled = new Int16Array(room);
      this.#sink.excerpt(this.#resampled, 0, this.#resampler.push(chunk, this.#resampled));
    }
  }
}

function isAnalysed(index: number): boolean {
  return index < wholeExcerpts || index % everyExcerpt === 0;
}
