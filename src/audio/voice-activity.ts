import { meanSquareToDbov, silenceDbov } from './level.ts';

/**
 * Whether somebody speaks, by energy. The level of the last 20 ms is looked at every 10 ms; it is loud where it lies
 * above a fixed threshold and above the noise floor by a distance, both lower the higher `inputSensitivity` is.
 * Speech begins where 60 of 80 ms are loud, so that no click begins it, goes on while every pause is shorter than
 * the hangover, and then ended where it was loud last. More sensitivity never finds less.
 */
export interface VoiceActivityOptions {
  rateHz: number;
  /** 0 (hears only loud voices) to 100 (hears whispers). */
  inputSensitivity?: number;
}

/** Speech from a level of -41.8 dBov on: what a voice of -26 dBov has where ITU-T P.56 sees speech. */
export const defaultInputSensitivity = 44;

/** A shorter pause is part of the speech. */
export const hangoverMs = 240;

const hopsPerSecond = 100;
const hangoverHops = (hangoverMs * hopsPerSecond) / 1000;
/** Loud hops that begin speech, among so many. Longer than a key in the audio takes to be recognized. */
const onsetHops = 6;
const onsetWindowHops = 8;
/** Loud hops that let speech go on, among so many: one alone is a peak of the noise. */
const goOnHops = 2;
const goOnWindowHops = 3;
/** 4 s, of which the noise floor is the 10th percentile. */
const memoryHops = 400;
const floorHops = 40;
/** Levels are remembered in steps of 0.5 dB. */
const stepsPerDb = 2;
/** Direct current is no level, and half of the mains hum is none. */
const highPassHz = 100;

/** Positions are counted in samples given or skipped; -1 where there is none. */
export interface VoiceProgress {
  /** Where the speech of now, or else the last, began. */
  readonly speechFrom: number;
  /** Where it was loud last: the end of the speech, if it goes on no more. */
  readonly speechTo: number;
  /** What might become speech began here. It is decided at most 80 ms later. */
  readonly candidateFrom: number;
}

/** Told with a delay: of the onset up to 80 ms, of the offset the hangover. */
export interface SpeechSink {
  onset(atSample: number): void;
  offset(atSample: number): void;
  /** What had its onset was a key press. No offset follows. */
  withdrawn(): void;
}

export class VoiceActivity implements VoiceProgress {
  /** Samples given and skipped so far. */
  position = 0;
  speaking = false;
  speechFrom = -1;
  speechTo = -1;
  readonly #hopSamples: number;
  readonly #sink: SpeechSink | undefined;
  readonly #leastDbov: number;
  readonly #aboveFloorDb: number;
  readonly #highPass: number;
  #lastIn = 0;
  #lastOut = 0;
  /** Sum of squares of the hop that fills, and mean square of the one before. */
  #energy = 0;
  #meanSquareBefore = 0;
  /** Which of the last hops were loud; the hop that fills is number `#hop`. */
  readonly #loud = new Uint8Array(memoryHops);
  #hop = 0;
  #loudOfWindow = 0;
  /** Levels of the last hops that were no key, and how often each step is among them. */
  readonly #levels = new Uint8Array(memoryHops);
  readonly #counts = new Uint16Array(1 - stepsPerDb * silenceDbov);
  #nextLevel = 0;
  #keyFrom = 0;
  #keyTo = 0;
  /** The speech before this one, should this one be withdrawn. */
  #fromBefore = -1;
  #toBefore = -1;

  constructor(
    { rateHz, inputSensitivity = defaultInputSensitivity }: VoiceActivityOptions,
    sink?: SpeechSink,
  ) {
    this.#hopSamples = rateHz / hopsPerSecond;
    this.#sink = sink;
    this.#leastDbov = -26 - 0.36 * inputSensitivity;
    this.#aboveFloorDb = 12 - 0.09 * inputSensitivity;
    this.#highPass = Math.exp((-2 * Math.PI * highPassHz) / rateHz);
    // The floor is unknown at first: as silence it leaves the decision to the fixed threshold.
    this.#counts[0] = memoryHops;
  }

  /** Takes `samples[start..end)`; any number. */
  push(samples: Int16Array, start = 0, end = samples.length): void {
    for (let read = start; read < end; ) {
      const untilHop = (this.#hop + 1) * this.#hopSamples - this.position;
      const take = Math.min(end - read, untilHop);
      this.#addEnergy(samples, read, read + take);
      read += take;
      this.position += take;
      if (take === untilHop) this.#endHop();
    }
  }

  /** Nothing came for so many samples: silence. */
  skip(samples: number): void {
    this.#lastIn = 0;
    this.#lastOut = 0;
    const end = this.position + samples;
    // More than the memory holds changes nothing but the position.
    const lastHop = Math.floor(end / this.#hopSamples);
    const endFill = Math.min(lastHop, this.#hop + memoryHops + onsetWindowHops);
    while (this.#hop < endFill) this.#endHop();
    this.#hop = lastHop;
    this.position = end;
  }

  /**
   * These samples were a key press, not speech, whether by events or in the audio: past ones up to the hangover ago
   * (best before speech was seen in them, in 60 ms), or ones to come. Of those to come, the latest span counts.
   */
  key(fromSample: number, toSample: number): void {
    if (toSample <= fromSample) return;
    const goesOn = fromSample <= this.#keyTo && toSample >= this.#keyFrom;
    this.#keyFrom = goesOn ? Math.min(this.#keyFrom, fromSample) : fromSample;
    this.#keyTo = goesOn ? Math.max(this.#keyTo, toSample) : toSample;
    const oldest = Math.max(0, this.#hop - memoryHops);
    for (let hop = Math.max(oldest, Math.floor(fromSample / this.#hopSamples)); hop < this.#hop; hop++)
      if (this.#isKey(hop)) this.#quieten(hop);
    if (this.speaking) this.#reconsider();
  }

  get candidateFrom(): number {
    if (this.speaking || this.#loudOfWindow === 0) return -1;
    return this.#firstLoud(this.#hop - onsetWindowHops) * this.#hopSamples;
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
    const hop = this.#hop++;
    const meanSquare = this.#energy / this.#hopSamples;
    const levelDbov = Math.min(0, meanSquareToDbov((meanSquare + this.#meanSquareBefore) / 2));
    this.#energy = 0;
    this.#meanSquareBefore = meanSquare;
    const isKey = this.#isKey(hop);
    if (!isKey) this.#remember(levelDbov);
    const isLoud =
      !isKey && levelDbov > this.#leastDbov && levelDbov > this.#floorDbov() + this.#aboveFloorDb;
    const leaving = this.#wasLoud(hop - onsetWindowHops);
    this.#loud[hop % memoryHops] = isLoud ? 1 : 0;
    this.#loudOfWindow += (isLoud ? 1 : 0) - leaving;
    this.#decide(hop, isLoud);
  }

  #decide(hop: number, isLoud: boolean): void {
    const end = (hop + 1) * this.#hopSamples;
    if (this.speaking) {
      if (isLoud && this.#loudHops(hop + 1 - goOnWindowHops) >= goOnHops) this.speechTo = end;
      else if (end - this.speechTo >= hangoverHops * this.#hopSamples) this.#stop();
    } else if (this.#loudOfWindow >= onsetHops) {
      this.#fromBefore = this.speechFrom;
      this.#toBefore = this.speechTo;
      this.speaking = true;
      this.speechFrom = this.#firstLoud(hop + 1 - onsetWindowHops) * this.#hopSamples;
      this.speechTo = end;
      this.#sink?.onset(this.speechFrom);
    }
  }

  #stop(): void {
    this.speaking = false;
    this.#sink?.offset(this.speechTo);
  }

  /** A hop's level is that of the hop before, too. */
  #isKey(hop: number): boolean {
    return (hop - 1) * this.#hopSamples < this.#keyTo && (hop + 1) * this.#hopSamples > this.#keyFrom;
  }

  #quieten(hop: number): void {
    if (hop >= this.#hop - onsetWindowHops) this.#loudOfWindow -= this.#loud[hop % memoryHops]!;
    this.#loud[hop % memoryHops] = 0;
  }

  /** Some of what was loud was a key. */
  #reconsider(): void {
    const oldest = Math.max(0, this.#hop - memoryHops);
    const from = Math.max(oldest, this.speechFrom / this.#hopSamples);
    let end = this.speechTo / this.#hopSamples;
    while (end > from && this.#wasLoud(end - 1) === 0) end--;
    const isWhole = this.speechFrom / this.#hopSamples >= oldest || this.#keyFrom <= this.speechFrom;
    if (isWhole && this.#loudHops(from) < onsetHops) {
      this.speaking = false;
      this.speechFrom = this.#fromBefore;
      this.speechTo = this.#toBefore;
      this.#sink?.withdrawn();
      return;
    }
    this.speechFrom = isWhole ? this.#firstLoud(from) * this.#hopSamples : this.speechFrom;
    this.speechTo = end > from ? end * this.#hopSamples : Math.min(this.speechTo, this.#keyFrom);
  }

  #wasLoud(hop: number): number {
    return hop < 0 ? 0 : this.#loud[hop % memoryHops]!;
  }

  #loudHops(fromHop: number): number {
    let count = 0;
    for (let hop = fromHop; hop < this.#hop; hop++) count += this.#wasLoud(hop);
    return count;
  }

  #firstLoud(fromHop: number): number {
    let hop = Math.max(0, fromHop);
    while (hop < this.#hop && this.#wasLoud(hop) === 0) hop++;
    return hop;
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
