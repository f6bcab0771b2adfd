import { BandLevels, hopsPerSecond } from './band-levels.ts';
import { Clipping } from './clipping.ts';
import { Excerpts } from './excerpts.ts';
import { remembered } from './feature-sink.ts';
import { rt60Of } from './rt60.ts';
import { snrOf } from './snr.ts';
import { SpeechLevel } from './speech-level.ts';
import { RowBlocks, SpeechStatistics } from './speech-statistics.ts';

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
export const enoughSpeechSeconds = 10;
/** With less audio than this there are none. */
const leastRows = 1 * hopsPerSecond;
/** From so many excerpts with speech on, one that is not over counts for nothing: SNR and RT60 change with each, not with each word. */
const enoughExcerpts = 3;

/** What the models say. */
interface Estimates {
  snrDb: number;
  rt60Seconds: number;
}

/**
 * Speech quality of one signal, worked out along: the party's own audio, or a mix.
 *
 *     samples -> speech level, clipping                       all of it
 *             -> excerpts -> band levels -> statistics        10 s of each minute, the first two whole
 *                                               figures() <- statistics, models
 *
 * Memory is bounded whatever the length: counts and sums, and the rows of one excerpt. The models are asked once an excerpt,
 * however often `figures` is called, as soon as there is enough speech.
 */
export class QualityMeter {
  readonly #rateHz: number;
  readonly #speechLevel: SpeechLevel;
  readonly #clipping = new Clipping();
  readonly #excerpts: Excerpts;
  readonly #bandLevels: BandLevels;
  readonly #blocks = new RowBlocks(new SpeechStatistics());
  #samples = 0;
  /** Of the excerpts that are over; null where they hold no speech. */
  #estimates: Estimates | null | undefined;
  #latest: { samples: number; figures: QualityFigures } | undefined;

  /** @param rateHz a multiple of 100 */
  constructor(rateHz: number) {
    this.#rateHz = rateHz;
    this.#speechLevel = new SpeechLevel(rateHz);
    this.#bandLevels = new BandLevels(this.#blocks);
    this.#excerpts = new Excerpts(rateHz, {
      excerpt: (samples, start, end) => this.#bandLevels.push(samples, start, end),
      endExcerpt: () => this.#endExcerpt(),
    });
  }

  /** Takes `samples[start..end)`, any number of them, as they follow one another. */
  push(samples: Int16Array, start = 0, end = samples.length): void {
    this.#speechLevel.push(samples, start, end);
    this.#clipping.push(samples, start, end);
    this.#excerpts.push(samples, start, end);
    this.#samples += end - start;
  }

  /** Samples so far. */
  get samples(): number {
    return this.#samples;
  }

  /** Of all so far; asking changes nothing. */
  figures(): QualityFigures {
    if (this.#latest?.samples !== this.#samples)
      this.#latest = { samples: this.#samples, figures: this.#figures() };
    return { ...this.#latest.figures };
  }

  /** A few seconds more change nothing that matters: `figures` rest on some excerpts, with speech enough in them. */
  get isSettled(): boolean {
    return this.#blocks.blocks >= enoughExcerpts && this.figures().note === null;
  }

  #figures(): QualityFigures {
    const { levelDbov, activity } = this.#speechLevel.active();
    const clippedShare = this.#clipping.share;
    const silenceShare = 1 - activity;
    const estimates = this.#settledEstimates() ?? estimatesOf(this.#blocks.soFar());
    if (!estimates) {
      const nothing = { snrDb: null, rt60Seconds: null, speechLevelDbov: null, speechSeconds: 0 };
      return { ...nothing, clippedShare, silenceShare, note: 'no_speech' };
    }
    const speechSeconds = (activity * this.#samples) / this.#rateHz;
    return {
      ...estimates,
      speechLevelDbov: levelDbov - 10 * Math.log10(1 + 10 ** (-estimates.snrDb / 10)),
      clippedShare,
      silenceShare,
      speechSeconds,
      note: speechSeconds < enoughSpeechSeconds ? 'little_speech' : null,
    };
  }

  #settledEstimates(): Estimates | null {
    if (this.#blocks.blocks < enoughExcerpts) return null;
    if (this.#estimates === undefined) this.#estimates = estimatesOf(this.#blocks.gathered);
    return this.#estimates;
  }

  #endExcerpt(): void {
    this.#blocks.end();
    this.#estimates = undefined;
    this.#bandLevels.restart();
  }
}

/** Null where nobody speaks. */
function estimatesOf(statistics: SpeechStatistics): Estimates | null {
  if (statistics.rows < leastRows || !statistics.isSpeech) return null;
  const features = remembered((put) => statistics.features(put));
  return { snrDb: snrOf(features), rt60Seconds: rt60Of(features) };
}
