import { fullScale, meanSquareToDbov, silenceDbov } from '../audio/level.ts';
import { kernel } from './kernel.ts';

/** ITU-T P.56: speech is what lies less than this under the active speech level. */
const marginDb = 15.9;
const smoothingSeconds = 0.03;
const hangoverSeconds = 0.2;
const hopsPerSecond = 100;
const hangoverHops = hangoverSeconds * hopsPerSecond;
const hopsAtOnce = 1000;
/** One threshold for each bit of a sample, 6.02 dB apart. */
const thresholds = Array.from({ length: 15 }, (_, bit) => 2 ** bit);
/** Places in the kernel's `hopState`. */
const firstActive = 3;
const firstHung = firstActive + thresholds.length;

export interface ActiveSpeech {
  /** Mean power of the time that is speech; `silenceDbov` where nothing is. */
  levelDbov: number;
  /** Share of the time that is speech, pauses of less than 200 ms counted to it; 0..1. */
  activity: number;
}

/**
 * Active speech level by ITU-T P.56 method B, along: the envelope sample by sample, compared with the thresholds every
 * 10 ms (within 0.1 dB of a comparison at every sample, at a tenth of the cost).
 */
export class SpeechLevel {
  readonly #hopSamples: number;
  readonly #decay: number;
  /** Plain arrays: of numbers so few, another kind is three times as much memory. */
  readonly #activeHops: number[] = thresholds.map(() => 0);
  readonly #markedHops: number[] = thresholds.map(() => 0);
  #markedEnergy = 0;
  readonly #hung: number[] = thresholds.map(() => hangoverHops);
  #samples = 0;
  #untilHop: number;
  #energy = 0;
  #smoothed = 0;
  #envelope = 0;

  constructor(rateHz: number) {
    this.#hopSamples = rateHz / hopsPerSecond;
    this.#decay = Math.exp(-1 / (smoothingSeconds * rateHz));
    this.#untilHop = this.#hopSamples;
  }

  push(samples: Int16Array, start: number, end: number): void {
    this.#samples += end - start;
    const untilHop = Math.min(end, start + (this.#untilHop % this.#hopSamples));
    this.#pushSingly(samples, start, untilHop);
    const hops = Math.floor((end - untilHop) / this.#hopSamples);
    const rest = untilHop + hops * this.#hopSamples;
    for (let at = untilHop; at < rest; at += hopsAtOnce * this.#hopSamples)
      this.#pushHops(samples, at, Math.min(rest, at + hopsAtOnce * this.#hopSamples));
    this.#pushSingly(samples, rest, end);
    // A decaying tail would end among denormal numbers, which are slow.
    if (this.#smoothed < 1e-9) this.#smoothed = 0;
    if (this.#envelope < 1e-9) this.#envelope = 0;
  }

  /** What comes from here on may be found to be no speech. */
  mark(): void {
    copyTo(this.#markedHops, this.#activeHops);
    this.#markedEnergy = this.#energy;
  }

  /** What came since the mark is no speech: it counts as silent. */
  forget(): void {
    copyTo(this.#activeHops, this.#markedHops);
    this.#energy = this.#markedEnergy;
  }

  /** So many samples count as silent; what comes behind them follows what came before. */
  passSilence(samples: number): void {
    this.#samples += samples;
  }

  /** So many of the samples that were taken do not count; they are silent. */
  leaveOut(samples: number): void {
    this.#samples -= samples;
  }

  #pushSingly(samples: Int16Array, start: number, end: number): void {
    const decay = this.#decay;
    for (let i = start; i < end; i++) {
      const sample = samples[i]!;
      this.#energy += sample * sample;
      this.#smoothed = decay * this.#smoothed + (1 - decay) * Math.abs(sample);
      this.#envelope = decay * this.#envelope + (1 - decay) * this.#smoothed;
      this.#untilHop -= 1;
      if (this.#untilHop > 0) continue;
      this.#untilHop += this.#hopSamples;
      this.#endHop(this.#envelope);
    }
  }

  /** Whole ones: what the envelope is behind a hop follows from what it was before, and sums of the hop. */
  #pushHops(samples: Int16Array, start: number, end: number): void {
    const { run, hopState } = kernel();
    const count = (end - start) / this.#hopSamples;
    kernel().putSamples(samples, start, end);
    hopState[0] = this.#smoothed;
    hopState[1] = this.#envelope;
    hopState[2] = this.#energy;
    for (let j = 0; j < thresholds.length; j++) {
      hopState[firstActive + j] = this.#activeHops[j]!;
      hopState[firstHung + j] = this.#hung[j]!;
    }
    const decay = this.#decay ** this.#hopSamples;
    const follows = this.#hopSamples * (1 - this.#decay) * decay;
    run.addHops(count, this.#hopSamples, this.#decay, decay, follows, hangoverHops);
    this.#smoothed = hopState[0]!;
    this.#envelope = hopState[1]!;
    this.#energy = hopState[2]!;
    for (let j = 0; j < thresholds.length; j++) {
      this.#activeHops[j] = hopState[firstActive + j]!;
      this.#hung[j] = hopState[firstHung + j]!;
    }
  }

  #endHop(envelope: number): void {
    for (let j = 0; j < thresholds.length; j++) {
      if (envelope >= thresholds[j]!) this.#hung[j] = 0;
      else if (this.#hung[j]! < hangoverHops) this.#hung[j]! += 1;
      // What lies above a threshold that was not reached for so long was not reached for as long either.
      else break;
      this.#activeHops[j]! += 1;
    }
  }

  /** @param isForgotten what came since the mark is no speech */
  active(isForgotten = false): ActiveSpeech {
    if (isForgotten) return this.#activeOf(this.#markedHops, this.#markedEnergy);
    return this.#activeOf(this.#activeHops, this.#energy);
  }

  /** Of what came since the mark, in dBov. */
  levelSinceMark(): number {
    const hops = this.#activeHops.map((count, j) => count - this.#markedHops[j]!);
    return this.#activeOf(hops, this.#energy - this.#markedEnergy).levelDbov;
  }

  /** The level of the time above a threshold, where it lies just the margin above that threshold. */
  #activeOf(activeHops: readonly number[], energy: number): ActiveSpeech {
    let before: ActiveSpeech & { margin: number } = {
      levelDbov: silenceDbov,
      activity: 0,
      margin: Number.NaN,
    };
    for (const [j, threshold] of thresholds.entries()) {
      const activeSamples = activeHops[j]! * this.#hopSamples;
      if (activeSamples === 0) break;
      const levelDbov = meanSquareToDbov(energy / activeSamples);
      const margin = levelDbov - 20 * Math.log10(threshold / fullScale);
      const activity = Math.min(1, activeSamples / this.#samples);
      if (margin <= marginDb) {
        if (Number.isNaN(before.margin)) return { levelDbov, activity };
        const share = (before.margin - marginDb) / (before.margin - margin);
        return {
          levelDbov: before.levelDbov + share * (levelDbov - before.levelDbov),
          activity: before.activity + share * (activity - before.activity),
        };
      }
      before = { levelDbov, activity, margin };
    }
    return { levelDbov: before.levelDbov, activity: before.activity };
  }
}

function copyTo(to: number[], from: readonly number[]): void {
  for (let j = 0; j < from.length; j++) to[j] = from[j]!;
}
