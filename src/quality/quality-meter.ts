import { Resampler } from '../audio/resample.ts';
import { analysisRateHz, hopsPerSecond } from './band-levels.ts';
import { Clipping } from './clipping.ts';
import { remembered } from './feature-sink.ts';
import { NoiseOverTime } from './noise-over-time.ts';
import { rt60Of } from './rt60.ts';
import { noiseOf, snrOf, snrOver, speechOf } from './snr.ts';
import { SpeechLevel } from './speech-level.ts';
import { type BlockListener, SpeechStatistics } from './speech-statistics.ts';

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
/** A block so much softer than what was said before is somebody else, or nobody. */
const softerDb = 25;

/** What the models say. */
interface Estimates {
  snrDb: number;
  rt60Seconds: number;
}

const noSamples = new Int16Array(0);

/** Of nothing at all: a party of whom not one sample was recorded. */
export const figuresOfNothing: QualityFigures = {
  ...{ snrDb: null, rt60Seconds: null, speechLevelDbov: null },
  ...{ clippedShare: 0, silenceShare: 1, speechSeconds: 0, note: 'no_speech' },
};

/**
 * Speech quality of one signal, worked out along: the party's own audio, or a mix.
 *
 *     samples -> speech level, clipping
 *             -> blocks of 10 s -> band levels -> statistics
 *                               -> noise over time
 *                                     figures() <- statistics, models, noise over time
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
  readonly #noise = new NoiseOverTime();
  #blocks = 0;
  /** Of a block that is not whole yet. */
  #begun = noSamples;
  #begunSamples = 0;
  #samples = 0;
  #passedSamples = 0;
  /** Of the samples that were chosen: how many there were, and how many of them are speech. */
  #chosenSamples = 0;
  #chosenSpeech = 0;
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
    this.#clipping.push(samples, start, end);
    this.#samples += end - start;
    for (let at = start; at < end; ) {
      const take = Math.min(end - at, this.#blockSamples - this.#begunSamples);
      this.#speechLevel.push(samples, at, at + take);
      if (take === this.#blockSamples) this.#addBlock(samples, at, at + take);
      else this.#keep(samples, at, at + take);
      at += take;
    }
  }

  /** As `push`, of samples that were chosen as somebody speaks there: they say nothing of what is passed over. */
  pushChosen(samples: Int16Array): void {
    const before = this.#heardSamples;
    this.push(samples);
    this.#chosenSamples += samples.length;
    this.#chosenSpeech += this.#heardSamples - before;
  }

  /** So many samples come that are not looked at; what comes behind them does not follow what came before. */
  passOver(samples: number): void {
    this.#passedSamples += samples;
    if (this.#begunSamples > 0) this.#endBlock();
    this.#noise.passOver(samples / this.#rateHz);
  }

  /** So many of the samples that were taken count for nothing, neither as speech nor as silence: it was paused there. */
  leaveOut(samples: number): void {
    this.#speechLevel.leaveOut(samples);
    this.#samples -= samples;
  }

  /** What was passed over so far was searched: it is known that nobody spoke there. */
  passedWasSilent(): void {
    this.#speechLevel.passSilence(this.#passedSamples);
    this.#samples += this.#passedSamples;
    this.#passedSamples = 0;
    this.#noise.forgetPassed();
  }

  /** Samples that were looked at, or searched. */
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
    return this.#heardSamples >= seconds * this.#rateHz && this.#statistics.isSpeech;
  }

  /** Samples that are speech, of those that were looked at. */
  get #heardSamples(): number {
    return this.#speechLevel.active().activity * this.#samples;
  }

  /** Share of speech in what was passed over: as in what was looked at, but for what was chosen. */
  #passedActivity(activity: number): number {
    const samples = this.#samples - this.#chosenSamples;
    if (this.#chosenSamples === 0 || samples <= 0) return activity;
    return Math.max(0, activity * this.#samples - this.#chosenSpeech) / samples;
  }

  /** Of all so far; asking changes nothing. */
  figures(): QualityFigures {
    const { estimates, noise, isRestSteady } = this.#soFar();
    const { levelDbov, activity } = this.#speechLevel.active(isRestSteady);
    const clippedShare = this.#clipping.share;
    const passedSpeech = this.#passedActivity(activity) * this.#passedSamples;
    const speechSamples = activity * this.#samples + passedSpeech;
    const samples = this.#samples + this.#passedSamples;
    const silenceShare = samples === 0 ? 1 : 1 - Math.min(1, speechSamples / samples);
    if (!estimates) {
      const nothing = { snrDb: null, rt60Seconds: null, speechLevelDbov: null, speechSeconds: 0 };
      return { ...nothing, clippedShare, silenceShare, note: 'no_speech' };
    }
    const pooledDbov = noiseOf(levelDbov, estimates.snrDb);
    const noiseDbov = noise.levelDbov(pooledDbov);
    const snrDb = noiseDbov === pooledDbov ? estimates.snrDb : snrOver(noiseDbov, levelDbov);
    return {
      ...{ snrDb, rt60Seconds: estimates.rt60Seconds, speechLevelDbov: speechOf(levelDbov, snrDb) },
      clippedShare,
      silenceShare,
      speechSeconds: speechSamples / this.#rateHz,
      note: activity * this.#samples < enoughSpeechSeconds * this.#rateHz ? 'little_speech' : null,
    };
  }

  /** @returns `isRestSteady`: nobody speaks in the block that is not whole yet */
  #soFar(): { estimates: Estimates | null; noise: NoiseOverTime; isRestSteady: boolean } {
    let isRestSteady = false;
    if (this.#begunSamples > 0) {
      const statistics = this.#statistics.copy();
      const noise = this.#noise.copy();
      isRestSteady = !this.#addTo(statistics, noise, this.#begun, 0, this.#begunSamples);
      if (!isRestSteady && this.#blocks < enoughBlocks)
        return { estimates: estimatesOf(statistics), noise, isRestSteady };
    }
    return { estimates: this.#estimatesSoFar(), noise: this.#noise, isRestSteady };
  }

  #estimatesSoFar(): Estimates | null {
    if (this.#estimates === undefined) this.#estimates = estimatesOf(this.#statistics);
    return this.#estimates;
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
    if (this.#addTo(this.#statistics, this.#noise, samples, start, end)) {
      this.#blocks += 1;
      this.#estimates = undefined;
    } else this.#speechLevel.forget();
    this.#speechLevel.mark();
  }

  /** @returns as `SpeechStatistics.addBlock` */
  #addTo(
    statistics: SpeechStatistics,
    noise: NoiseOverTime,
    samples: Int16Array,
    start: number,
    end: number,
  ): boolean {
    const seconds = (end - start) / this.#rateHz;
    let isHeard = false;
    const heard: BlockListener = ({ floor }, own) => {
      isHeard = true;
      noise.add(seconds, floor, {
        own: () => this.#noiseOfBlock(own()),
        before: () => this.#noiseBefore(),
      });
    };
    const isSpeech = isSilent(samples, start, end) || this.#addRows(statistics, heard, samples, start, end);
    if (!isHeard) noise.passOver(seconds);
    return isSpeech;
  }

  #addRows(
    statistics: SpeechStatistics,
    heard: BlockListener,
    samples: Int16Array,
    start: number,
    end: number,
  ): boolean {
    if (this.#rateHz === analysisRateHz) return statistics.addBlock(samples, start, end, heard);
    const resampler = new Resampler(this.#rateHz, analysisRateHz);
    const resampled = new Int16Array(resampler.maxOutput(end - start));
    const made = resampler.push(samples.subarray(start, end), resampled);
    return statistics.addBlock(resampled, 0, made, heard);
  }

  /** In dBov, of the block that is being added. */
  #noiseOfBlock(statistics: SpeechStatistics): number | undefined {
    const levelDbov = this.#speechLevel.levelSinceMark();
    if (statistics.rows < leastRows || !statistics.isSpeech) return undefined;
    if (levelDbov < this.#speechLevel.active(true).levelDbov - softerDb) return undefined;
    return noiseOf(
      levelDbov,
      snrOf((put) => statistics.features(put)),
    );
  }

  /** In dBov, of the blocks before it. */
  #noiseBefore(): number | undefined {
    const estimates = this.#estimatesSoFar();
    return estimates ? noiseOf(this.#speechLevel.active(true).levelDbov, estimates.snrDb) : undefined;
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
