import { type PitchSearch, pitchLag } from './pitch.ts';

/**
 * Concealment stops here: longer losses fade to silence, as nobody can say what was spoken (G.711 Appendix I, I.2.6).
 */
export const maxConcealedMs = 60;

/** Times of G.711 Appendix I, in ms. */
const minPitchMs = 5;
const maxPitchMs = 15;
const pitchWindowMs = 20;
const fullLevelMs = 10;
const reentryMs = 4;
const maxReentryMs = 10;
/** So many pitch periods are repeated at most; more are taken as the loss lasts, against the sound of a buzzer. */
const maxPeriods = 3;
/** A quarter of a period is blended wherever two parts meet. */
const overlapShare = 4;
const noSamples = new Int16Array(0);
const noCycle = new Float64Array(0);

/**
 * Stands in for lost packets of decoded audio in the manner of ITU-T G.711 Appendix I: the last pitch periods are
 * repeated and fade out. For codecs that cannot do it themselves; any rate from 8 kHz on. Unlike the Appendix it delays
 * nothing: the beginning of a repetition is blended with the mirrored end of what was received.
 *
 *     received ... received | conceal ... conceal | received (blended with the repetition's end)
 */
export class Concealer {
  readonly #rateHz: number;
  readonly #search: PitchSearch;
  /** The newest samples given out, concealed ones too. */
  readonly #history: Int16Array;
  /** `#history` at the beginning of the loss. */
  #template = noSamples;
  /** The last periods of the template, joined end to start; and what was repeated before these. */
  #cycle = noCycle;
  #before = noCycle;
  #cycleLength = 0;
  #beforeLength = 0;
  #pitch = 0;
  #periods = 0;
  /** Samples concealed since the loss began. */
  #lost = 0;
  /** Where in the two cycles the next sample lies, and how much of the blend between them is left. */
  #at = 0;
  #atBefore = 0;
  #blendLeft = 0;

  constructor(rateHz: number) {
    this.#rateHz = rateHz;
    this.#search = {
      minLag: this.#samples(minPitchMs),
      maxLag: this.#samples(maxPitchMs),
      windowSamples: this.#samples(pitchWindowMs),
      decimation: Math.max(2, Math.round(rateHz / 4000)),
    };
    const { maxLag } = this.#search;
    const historySamples = maxPeriods * maxLag + Math.ceil(maxLag / overlapShare);
    this.#history = new Int16Array(historySamples);
  }

  /**
   * Takes what was received and decoded.
   * @param out gets the samples, the first ones blended with the end of a concealed loss before them; may be the same
   *   array. Without it the samples are only remembered.
   */
  received(samples: Int16Array, out?: Int16Array): void {
    this.#remember(samples);
    if (out && out !== samples) out.set(samples);
    if (out && this.#lost > 0) {
      const blended = Math.min(this.#reentrySamples(), samples.length);
      for (let i = 0; i < blended; i++) {
        const weight = (i + 1) / (blended + 1);
        out[i] = Math.round(weight * samples[i]! + (1 - weight) * this.#next());
      }
    }
    this.#lost = 0;
  }

  /** Fills all of `out` with what may stand for the lost samples; calls in a row continue one loss. */
  conceal(out: Int16Array): void {
    if (this.#lost === 0) this.#begin();
    for (let i = 0; i < out.length; i++) out[i] = Math.round(this.#next());
    this.#remember(out);
  }

  /**
   * Blends the end of a concealed loss into the samples behind it, which stay as they are: for where these are known
   * already. Call it before `received`.
   */
  lead(concealed: Int16Array, next: Int16Array): void {
    const blended = Math.min(this.#reentrySamples(), concealed.length, next.length);
    for (let i = 0; i < blended; i++) {
      const at = concealed.length - 1 - i;
      const weight = 1 - (i + 1) / (blended + 1);
      concealed[at] = Math.round(weight * next[i]! + (1 - weight) * concealed[at]!);
    }
  }

  /** Behind a pause nothing of before is repeated. */
  reset(): void {
    this.#history.fill(0);
    this.#lost = 0;
  }

  #samples(ms: number): number {
    return Math.round((ms * this.#rateHz) / 1000);
  }

  #remember(samples: Int16Array): void {
    const history = this.#history;
    if (samples.length >= history.length) {
      history.set(samples.subarray(samples.length - history.length));
      return;
    }
    history.copyWithin(0, samples.length);
    history.set(samples, history.length - samples.length);
  }

  #begin(): void {
    if (this.#template.length === 0) this.#makeRoom();
    this.#template.set(this.#history);
    this.#pitch = pitchLag(this.#template, this.#search);
    this.#periods = 0;
    this.#at = 0;
    this.#cycleLength = 0;
    this.#blendLeft = 0;
    this.#lengthenCycle();
  }

  /** Most streams lose nothing. */
  #makeRoom(): void {
    this.#template = new Int16Array(this.#history.length);
    this.#cycle = new Float64Array(maxPeriods * this.#search.maxLag);
    this.#before = new Float64Array(maxPeriods * this.#search.maxLag);
  }

  /** Takes one more period of the template; the sound goes on at the same point of its period. */
  #lengthenCycle(): void {
    const emptied = this.#before;
    this.#before = this.#cycle;
    this.#beforeLength = this.#cycleLength;
    this.#atBefore = this.#at;
    this.#cycle = emptied;
    this.#periods += 1;
    const length = this.#periods * this.#pitch;
    const overlap = this.#overlap();
    const start = this.#template.length - length;
    for (let i = 0; i < length; i++) this.#cycle[i] = this.#template[start + i]!;
    // The end of the cycle becomes what stands before its start, so that it repeats without a seam.
    for (let i = 1; i <= overlap; i++) {
      const weight = i / (overlap + 1);
      const at = length - overlap + i - 1;
      const earlier = this.#template[start - overlap + i - 1]!;
      this.#cycle[at] = (1 - weight) * this.#cycle[at]! + weight * earlier;
    }
    this.#cycleLength = length;
    this.#at %= this.#pitch;
    this.#blendLeft = this.#beforeLength > 0 ? overlap : 0;
  }

  #overlap(): number {
    return Math.ceil(this.#pitch / overlapShare);
  }

  #next(): number {
    const lost = this.#lost;
    const lostMs = (lost * 1000) / this.#rateHz;
    this.#lost += 1;
    if (lostMs >= maxConcealedMs) return 0;
    if (this.#periods < maxPeriods && lostMs >= this.#periods * fullLevelMs) this.#lengthenCycle();
    let sample = this.#cycle[this.#at]!;
    const overlap = this.#overlap();
    if (lost < overlap) {
      const weight = (lost + 1) / (overlap + 1);
      sample = weight * sample + (1 - weight) * this.#template[this.#template.length - 1 - lost]!;
    }
    this.#at = this.#at + 1 === this.#cycleLength ? 0 : this.#at + 1;
    if (this.#blendLeft > 0) {
      const weight = this.#blendLeft / (overlap + 1);
      sample = (1 - weight) * sample + weight * this.#before[this.#atBefore]!;
      this.#atBefore = this.#atBefore + 1 === this.#beforeLength ? 0 : this.#atBefore + 1;
      this.#blendLeft -= 1;
    }
    const faded = (maxConcealedMs - lostMs) / (maxConcealedMs - fullLevelMs);
    return faded >= 1 ? sample : sample * faded;
  }

  /** Longer behind a longer loss (I.2.7), and at least a quarter of a period. */
  #reentrySamples(): number {
    const lostMs = (this.#lost * 1000) / this.#rateHz;
    const ms = Math.min(maxReentryMs, reentryMs + (reentryMs * Math.max(0, lostMs - 10)) / 10);
    return Math.max(this.#overlap(), this.#samples(ms));
  }
}
