import { Resampler } from '../audio/resample.ts';
import { analysisRateHz, hopsPerSecond } from './band-levels.ts';
import { Clipping } from './clipping.ts';
import { remembered } from './feature-sink.ts';
import { rt60Of } from './rt60.ts';
import { snrOf } from './snr.ts';
import { SpeechLevel } from './speech-level.ts';
import { SpeechStatistics } from './speech-statistics.ts';

/** Why a figure is missing, or only the best estimate. */
export type QualityNote = 'no_speech' | 'little_speech';

export interface QualityFigures {
  /** Active speech over noise, in dB; null where nobody spoke. */
  snrDb: number | null;
  /** Seconds of reverberation time of the room the speech came from; null where nobody spoke. */
  rt60Seconds: number | null;
  /** Active speech level by ITU-T P.56, its noise taken away; null where nobody spoke. */
  speechLevelDbov: number | null;
  /** Share of the samples that are cut off at full scale, 0..1. */
  clippedShare: number;
  /** Share of the time in which nothing is as loud as speech, 0..1; 1 of nothing at all. */
  silenceShare: number;
  /** How long somebody spoke, pauses under 200 ms counted to it. */
  speechSeconds: number;
  note: QualityNote | null;
}

/** With less speech, figures are the best estimate there is, and say so. */
const enoughSpeechSeconds = 8;
/** A few words. */
const someSpeechSeconds = 2;
/** With less audio than this there are none. */
const leastRows = 1 * hopsPerSecond;
/** What is looked at together: its loudest moments are the speech, its softest the noise. */
export const blockSeconds = 10;
/** From so many blocks on, one that is not whole counts for nothing: SNR and RT60 change with each, not with each word. */
const enoughBlocks = 3;

/** What the models say. */
interface Estimates {
  snrDb: number;
  rt60Seconds: number;
}

const noSamples = new Int16Array(0);

/**
 * Speech quality of one signal, worked out along: the party's own audio, or a mix.
 *
 *     samples -> speech level, clipping
 *             -> blocks of 10 s -> band levels -> statistics
 *                                     figures() <- statistics, models
 *
 * What is passed over counts as if it were like what was measured. Memory is bounded whatever the length: counts and
 * sums, and the samples of a block that is not whole. The models are asked once a block, however often `figures` is
 * called, as soon as there is enough speech.
 */
export class QualityMeter {
  readonly #rateHz: number;
  readonly #blockSamples: number;
  readonly #speechLevel: SpeechLevel;
  readonly #clipping = new Clipping();
  readonly #statistics = new SpeechStatistics();
  #blocks = 0;
  /** Of a block that is not whole yet. */
  #begun = noSamples;
  #begunSamples = 0;
  #samples = 0;
  #passedSamples = 0;
  /** Of the blocks that are over; null where they hold no speech. */
  #estimates: Estimates | null | undefined;

  /** @param rateHz a multiple of 800 */
  constructor(rateHz: number) {
    this.#rateHz = rateHz;
    this.#blockSamples = blockSeconds * rateHz;
    this.#speechLevel = new SpeechLevel(rateHz);
  }

  /** Takes `samples[start..end)`, any number of them, as they follow one another. */
  push(samples: Int16Array, start = 0, end = samples.length): void {
    this.#speechLevel.push(samples, start, end);
    this.#clipping.push(samples, start, end);
    this.#samples += end - start;
    for (let at = start; at < end; ) {
      const take = Math.min(end - at, this.#blockSamples - this.#begunSamples);
      if (take === this.#blockSamples) this.#addBlock(samples, at, at + take);
      else this.#keep(samples, at, at + take);
      at += take;
    }
  }

  /** So many samples come that are not looked at; what comes behind them does not follow what came before. */
  passOver(samples: number): void {
    this.#passedSamples += samples;
    if (this.#begunSamples > 0) this.#endBlock();
  }

  /** What was passed over so far was searched: it is known that nobody spoke there. */
  passedWasSilent(): void {
    this.#speechLevel.passSilence(this.#passedSamples);
    this.#samples += this.#passedSamples;
    this.#passedSamples = 0;
  }

  /** Samples that were looked at. */
  get samples(): number {
    return this.#samples;
  }

  /** Whether anybody was heard at all, by a few words at least. */
  get hasSpeech(): boolean {
    return this.#hasSpeech(someSpeechSeconds);
  }

  /** As the `note` says of what makes whole blocks, for little. */
  get hasEnoughSpeech(): boolean {
    return this.#hasSpeech(enoughSpeechSeconds);
  }

  #hasSpeech(seconds: number): boolean {
    const { activity } = this.#speechLevel.active();
    return activity * this.#samples >= seconds * this.#rateHz && this.#statistics.isSpeech;
  }

  /** Of all so far; asking changes nothing. */
  figures(): QualityFigures {
    const { levelDbov, activity } = this.#speechLevel.active();
    const clippedShare = this.#clipping.share;
    const silenceShare = 1 - activity;
    const estimates = this.#soFar();
    if (!estimates) {
      const nothing = { snrDb: null, rt60Seconds: null, speechLevelDbov: null, speechSeconds: 0 };
      return { ...nothing, clippedShare, silenceShare, note: 'no_speech' };
    }
    const heardSeconds = (activity * this.#samples) / this.#rateHz;
    return {
      ...estimates,
      speechLevelDbov: levelDbov - 10 * Math.log10(1 + 10 ** (-estimates.snrDb / 10)),
      clippedShare,
      silenceShare,
      speechSeconds: heardSeconds + (activity * this.#passedSamples) / this.#rateHz,
      note: heardSeconds < enoughSpeechSeconds ? 'little_speech' : null,
    };
  }

  #soFar(): Estimates | null {
    if (this.#begunSamples === 0 || this.#blocks >= enoughBlocks) {
      if (this.#estimates === undefined) this.#estimates = estimatesOf(this.#statistics);
      return this.#estimates;
    }
    const statistics = this.#statistics.copy();
    this.#addTo(statistics, this.#begun, 0, this.#begunSamples);
    return estimatesOf(statistics);
  }

  #keep(samples: Int16Array, start: number, end: number): void {
    const count = this.#begunSamples + end - start;
    if (this.#begun.length < count) {
      const larger = new Int16Array(Math.min(this.#blockSamples, 2 * count));
      larger.set(this.#begun.subarray(0, this.#begunSamples));
      this.#begun = larger;
    }
    this.#begun.set(samples.subarray(start, end), this.#begunSamples);
    this.#begunSamples = count;
    if (count === this.#blockSamples) this.#endBlock();
  }

  #endBlock(): void {
    this.#addBlock(this.#begun, 0, this.#begunSamples);
    this.#begun = noSamples;
    this.#begunSamples = 0;
  }

  #addBlock(samples: Int16Array, start: number, end: number): void {
    this.#addTo(this.#statistics, samples, start, end);
    this.#blocks += 1;
    this.#estimates = undefined;
  }

  #addTo(statistics: SpeechStatistics, samples: Int16Array, start: number, end: number): void {
    if (isSilent(samples, start, end)) return;
    if (this.#rateHz === analysisRateHz) {
      statistics.addBlock(samples, start, end);
      return;
    }
    const resampler = new Resampler(this.#rateHz, analysisRateHz);
    const resampled = new Int16Array(resampler.maxOutput(end - start));
    statistics.addBlock(resampled, 0, resampler.push(samples.subarray(start, end), resampled));
  }
}

/** As a rule the first few samples tell. */
function isSilent(samples: Int16Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (samples[i] !== 0) return false;
  return true;
}

/** Null where nobody speaks. */
function estimatesOf(statistics: SpeechStatistics): Estimates | null {
  if (statistics.rows < leastRows || !statistics.isSpeech) return null;
  const features = remembered((put) => statistics.features(put));
  return { snrDb: snrOf(features), rt60Seconds: rt60Of(features) };
}
