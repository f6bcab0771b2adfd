import { BandLevels, hopsPerSecond } from './band-levels.ts';
import { Clipping } from './clipping.ts';
import { Excerpts } from './excerpts.ts';
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

/**
 * Speech quality of one signal, worked out along: the party's own audio, or a mix.
 *
 *     samples -> speech level, clipping                       all of it
 *             -> excerpts -> band levels -> statistics        10 s of each minute, the first two whole
 *                                               figures() <- statistics, models
 *
 * Memory is bounded whatever the length: counts and sums, and the rows of one excerpt.
 */
export class QualityMeter {
  readonly #rateHz: number;
  readonly #speechLevel: SpeechLevel;
  readonly #clipping = new Clipping();
  readonly #excerpts: Excerpts;
  readonly #bandLevels: BandLevels;
  readonly #blocks = new RowBlocks(new SpeechStatistics());
  #samples = 0;

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

  /** Of all so far; asking changes nothing. */
  figures(): QualityFigures {
    const statistics = this.#blocks.soFar();
    const { levelDbov, activity } = this.#speechLevel.active();
    const clippedShare = this.#clipping.share;
    const silenceShare = 1 - activity;
    const isSpeech = statistics.rows >= leastRows && statistics.isSpeech;
    if (!isSpeech) {
      const nothing = { snrDb: null, rt60Seconds: null, speechLevelDbov: null, speechSeconds: 0 };
      return { ...nothing, clippedShare, silenceShare, note: 'no_speech' };
    }
    const speechSeconds = (activity * this.#samples) / this.#rateHz;
    const snrDb = snrOf(statistics);
    return {
      snrDb,
      rt60Seconds: rt60Of(statistics),
      speechLevelDbov: levelDbov - 10 * Math.log10(1 + 10 ** (-snrDb / 10)),
      clippedShare,
      silenceShare,
      speechSeconds,
      note: speechSeconds < enoughSpeechSeconds ? 'little_speech' : null,
    };
  }

  #endExcerpt(): void {
    this.#blocks.end();
    this.#bandLevels.restart();
  }
}
