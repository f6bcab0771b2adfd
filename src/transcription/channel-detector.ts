import { Resampler } from '../audio/resample.ts';
import { QuietGate } from './quiet-gate.ts';
import { recognizerRateHz, type SpeechPiece, SpeechSegmenter, windowSamples } from './speech-segmenter.ts';

/** A voice activity detector with a memory, for 32 ms of 16 kHz at a time. */
export interface WindowDetector {
  onsetSamples: number;
  hangSamples: number;
  /** Whether somebody speaks at the end of the window. */
  accept(window: Int16Array): boolean;
  /** Forgets what it heard. */
  reset(): void;
}

/** One channel, of any rate, by chunks of any size, to pieces of speech. */
export class ChannelDetector {
  readonly #detector: WindowDetector;
  readonly #segmenter: SpeechSegmenter;
  readonly #gate = new QuietGate();
  readonly #resampler: Resampler | undefined;
  readonly #window = new Int16Array(windowSamples);
  #filled = 0;
  #isSpeech = false;

  constructor(rateHz: number, detector: WindowDetector) {
    this.#detector = detector;
    this.#segmenter = new SpeechSegmenter(detector);
    this.#resampler = rateHz === recognizerRateHz ? undefined : new Resampler(rateHz, recognizerRateHz);
    detector.reset();
  }

  push(chunk: Int16Array): SpeechPiece[] {
    if (!this.#resampler) return this.#take(chunk);
    const resampled = new Int16Array(this.#resampler.maxOutput(chunk.length));
    return this.#take(resampled.subarray(0, this.#resampler.push(chunk, resampled)));
  }

  end(): SpeechPiece[] {
    const pieces: SpeechPiece[] = [];
    if (this.#resampler) {
      const rest = new Int16Array(this.#resampler.maxOutput(0));
      pieces.push(...this.#take(rest.subarray(0, this.#resampler.flush(rest))));
    }
    if (this.#filled > 0)
      pieces.push(...this.#segmenter.push(this.#window.subarray(0, this.#filled), this.#isSpeech));
    return [...pieces, ...this.#segmenter.end()];
  }

  #take(samples: Int16Array): SpeechPiece[] {
    const pieces: SpeechPiece[] = [];
    for (let read = 0; read < samples.length; ) {
      const part = samples.subarray(read, read + windowSamples - this.#filled);
      this.#window.set(part, this.#filled);
      this.#filled += part.length;
      read += part.length;
      if (this.#filled < windowSamples) break;
      this.#filled = 0;
      pieces.push(...this.#decide(this.#window.slice()));
    }
    return pieces;
  }

  #decide(window: Int16Array): SpeechPiece[] {
    const passed = this.#gate.pass(window, this.#isSpeech);
    if (passed.length > 1) this.#detector.reset();
    this.#isSpeech = false;
    for (const each of passed) this.#isSpeech = this.#detector.accept(each);
    return this.#segmenter.push(window, this.#isSpeech);
  }
}
