import { dbovToRms, meanSquareToDbov, silenceDbov } from './level.ts';

export interface VoiceActivityOptions {
  /** A multiple of 100. */
  rateHz: number;
  /** 0 (hears only loud voices) to 100 (hears whispers), fractions too. */
  inputSensitivity?: number;
}

/** Speech from a level of -41.8 dBov on: what a voice of -26 dBov has where ITU-T P.56 sees speech. */
export const defaultInputSensitivity = 44;

/** A shorter pause is part of the speech. */
export const hangoverMs = 240;

/** So much later than it began, speech is known at the latest. */
export const onsetDelayMs = 80;

/** So much behind it, the end of speech is known, if it goes on no more; what goes on within the hangover moves it. */
export const endOfSpeechDelayMs = 40;

const hopsPerSecond = 100;
const hangoverHops = (hangoverMs * hopsPerSecond) / 1000;
/** Loud hops that begin speech, among so many. */
const onsetHops = 6;
const onsetWindowHops = (onsetDelayMs * hopsPerSecond) / 1000;
/** Loud hops that let speech go on, among so many: one alone is a peak of the noise. */
const goOnHops = 2;
const goOnWindowHops = 3;
/** Words fade away: so much softer is speech yet for `onsetDelayMs` behind what is loud. */
const fadeDb = 2;
/** 4 s, of which the noise floor is the 10th percentile. */
const memoryHops = 400;
const floorHops = 40;
/** Levels are remembered in steps of 0.5 dB. */
const stepsPerDb = 2;
/** Direct current is no level, and half of the mains hum is none. */
const highPassHz = 120;

/** What is known of speech so far. Positions are counted in samples; -1 where there is none. */
export interface VoiceProgress {
  /** Samples given and passed over. */
  readonly position: number;
  /** The decision of now. It stays true for the hangover behind speech. */
  readonly speaking: boolean;
  /** Where the speech of now, or else the last, began. */
  readonly speechFrom: number;
  /** The end of the speech, if it goes on no more. */
  readonly speechTo: number;
  /** What might become speech began here; decided `onsetDelayMs` later at the latest. */
  readonly candidateFrom: number;
}

/**
 * Whether somebody speaks, by energy. The level of the last 20 ms is looked at every 10 ms (a hop). It is loud where,
 * the noise floor taken away, it lies above a fixed threshold, and above the floor by a distance; both are lower the
 * higher `inputSensitivity` is. Speech begins where 60 of 80 ms are loud, so that no click begins it, goes on while
 * every pause is shorter than the hangover, and then ended where it was loud last or faded away. More sensitivity
 * never finds less. What is no noise is speech: tones and key presses too.
 */
export class VoiceActivity implements VoiceProgress {
  position = 0;
  speaking = false;
  speechFrom = -1;
  speechTo = -1;
  readonly #hopSamples: number;
  readonly #leastDbov: number;
  readonly #aboveFloorDb: number;
  readonly #highPass: number;
  #lastIn = 0;
  #lastOut = 0;
  /** Sum of squares of the hop that fills, and mean square of the one before. */
  #energy = 0;
  #meanSquareBefore = 0;
  /** The hop that fills; bits of the hops before it, the last one lowest: which were loud, which let speech go on. */
  #hop = 0;
  #loud = 0;
  #goingOn = 0;
  /** Levels of the last hops, and how often each step is among them. */
  readonly #levels = new Uint8Array(memoryHops);
  readonly #counts = new Uint16Array(1 - stepsPerDb * silenceDbov);
  #nextLevel = 0;

  constructor({ rateHz, inputSensitivity = defaultInputSensitivity }: VoiceActivityOptions) {
    this.#hopSamples = rateHz / hopsPerSecond;
    this.#leastDbov = -26 - 0.36 * inputSensitivity;
    this.#aboveFloorDb = 12 - 0.09 * inputSensitivity;
    this.#highPass = Math.exp((-2 * Math.PI * highPassHz) / rateHz);
    // The floor is unknown at first: as silence it leaves the decision to the fixed threshold.
    this.#counts[0] = memoryHops;
  }

  /** Takes `samples[start..end)`, any number of them, and says whether somebody speaks at their end. */
  push(samples: Int16Array, start = 0, end = samples.length): boolean {
    for (let read = start; read < end; ) {
      const untilHop = (this.#hop + 1) * this.#hopSamples - this.position;
      const take = Math.min(end - read, untilHop);
      this.#addEnergy(samples, read, read + take);
      read += take;
      this.position += take;
      if (take === untilHop) this.#endHop();
    }
    return this.speaking;
  }

  /** Nothing came up to this position: that was silence. A position of the past changes nothing. */
  advanceTo(position: number): boolean {
    if (position <= this.position) return this.speaking;
    this.#lastIn = 0;
    this.#lastOut = 0;
    const lastHop = Math.floor(position / this.#hopSamples);
    // More than the memory holds changes nothing but the position.
    const fillTo = Math.min(lastHop, this.#hop + memoryHops + onsetWindowHops);
    while (this.#hop < fillTo) this.#endHop();
    this.#hop = lastHop;
    this.position = position;
    return this.speaking;
  }

  get candidateFrom(): number {
    return this.speaking || this.#loud === 0 ? -1 : this.#firstLoud();
  }

  #addEnergy(samples: Int16Array, from: number, to: number): void {
    const highPass = this.#highPass;
    let before = this.#lastIn;
    let out = this.#lastOut;
    let energy = this.#energy;
    for (let i = from; i < to; i++) {
      const sample = samples[i]!;
      out = sample - before + highPass * out;
      before = sample;
      energy += out * out;
    }
    this.#lastIn = before;
    // A decaying tail would end among denormal numbers, which are slow.
    this.#lastOut = Math.abs(out) < 1e-6 ? 0 : out;
    this.#energy = energy;
  }

  #endHop(): void {
    this.#hop += 1;
    const hopMeanSquare = this.#energy / this.#hopSamples;
    const meanSquare = (hopMeanSquare + this.#meanSquareBefore) / 2;
    this.#energy = 0;
    this.#meanSquareBefore = hopMeanSquare;
    const levelDbov = Math.min(0, meanSquareToDbov(meanSquare));
    this.#remember(levelDbov);
    const floorDbov = this.#floorDbov();
    const voiceDbov = meanSquareToDbov(Math.max(0, meanSquare - dbovToRms(floorDbov) ** 2));
    const marginDb = Math.min(voiceDbov - this.#leastDbov, levelDbov - floorDbov - this.#aboveFloorDb);
    this.#loud = shifted(this.#loud, marginDb > 0, onsetWindowHops);
    this.#goingOn = shifted(this.#goingOn, this.#loud !== 0 && marginDb > -fadeDb, goOnWindowHops);
    this.#decide();
  }

  #decide(): void {
    const hopEnd = this.#hop * this.#hopSamples;
    if (this.speaking) {
      if ((this.#goingOn & 1) === 1 && ones(this.#goingOn) >= goOnHops) this.speechTo = hopEnd;
      else if (hopEnd - this.speechTo >= hangoverHops * this.#hopSamples) this.speaking = false;
    } else if (ones(this.#loud) >= onsetHops) {
      this.speaking = true;
      this.speechFrom = this.#firstLoud();
      this.speechTo = hopEnd;
    }
  }

  /** Start of the first loud hop of the window. */
  #firstLoud(): number {
    return (this.#hop + Math.clz32(this.#loud) - 32) * this.#hopSamples;
  }

  #remember(levelDbov: number): void {
    const step = Math.round((levelDbov - silenceDbov) * stepsPerDb);
    this.#counts[this.#levels[this.#nextLevel]!]! -= 1;
    this.#counts[step]! += 1;
    this.#levels[this.#nextLevel] = step;
    this.#nextLevel = (this.#nextLevel + 1) % memoryHops;
  }

  #floorDbov(): number {
    let step = 0;
    for (let below = this.#counts[0]!; below < floorHops; below += this.#counts[step]!) step++;
    return silenceDbov + step / stepsPerDb;
  }
}

/** The window of bits a hop later. */
function shifted(window: number, isSet: boolean, windowHops: number): number {
  return ((window << 1) | (isSet ? 1 : 0)) & (2 ** windowHops - 1);
}

function ones(bits: number): number {
  let count = 0;
  for (let left = bits; left !== 0; left &= left - 1) count++;
  return count;
}
