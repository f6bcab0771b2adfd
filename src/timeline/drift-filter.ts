import {
  biasMeasures,
  changedDriftPpm,
  driftWanderPpm2PerSecond,
  maxBias,
  maxOutliers,
  minOutlierUs,
  outlierDeviations,
  usualDriftPpm,
} from './bounds.ts';

/** With standard deviations. */
export interface DriftEstimate {
  offsetUs: number;
  offsetDeviationUs: number;
  driftPpm: number;
  driftDeviationPpm: number;
}

/**
 * Tells the drift of one clock against another from their distance, which is measured again and again with noise and
 * has a constant part that says nothing. A Kalman filter of three values, all since its beginning:
 *
 *     offset   what drift added up to, less what was corrected, in microseconds: none at the beginning
 *     drift    microseconds a second (ppm), all but constant
 *     level    the distance as it is measured, in microseconds
 *
 * A distance that changes at once is another way, not drift: what does not fit is left out, and where it stays so the
 * level is found anew, while the offset goes on by the drift known. Memory is constant.
 */
export class DriftFilter {
  #offset = 0;
  #drift = 0;
  #level = 0;
  // Covariances; o, d and l stand for offset, drift and level.
  #oo = 0;
  #od = 0;
  #ol = 0;
  #dd = usualDriftPpm ** 2;
  #dl = 0;
  #ll = 0;
  #isLevelKnown = false;
  #outliers = 0;
  /** Mean of what was not expected, in standard deviations. */
  #bias = 0;
  #measures = 0;

  get driftPpm(): number {
    return this.#drift;
  }

  get driftDeviationPpm(): number {
    return Math.sqrt(Math.max(0, this.#dd));
  }

  /** How many measurements it took. */
  get measures(): number {
    return this.#measures;
  }

  /** @param other what else says how large the drift is, and how well it knows */
  estimate(other?: { driftPpm: number; deviationPpm: number }): DriftEstimate {
    const weight = other ? 1 / (this.#dd + other.deviationPpm ** 2) : 0;
    const difference = other ? other.driftPpm - this.#drift : 0;
    return {
      offsetUs: this.#offset + this.#od * weight * difference,
      offsetDeviationUs: Math.sqrt(Math.max(0, this.#oo - this.#od * weight * this.#od)),
      driftPpm: this.#drift + this.#dd * weight * difference,
      driftDeviationPpm: Math.sqrt(Math.max(0, this.#dd - this.#dd * weight * this.#dd)),
    };
  }

  /** Time goes on, and so much is corrected in it. */
  advance(seconds: number, correctedUs: number): void {
    this.#offset += this.#drift * seconds - correctedUs;
    this.#level += this.#drift * seconds;
    const square = this.#dd * seconds * seconds;
    this.#oo += 2 * this.#od * seconds + square;
    this.#ol += (this.#od + this.#dl) * seconds + square;
    this.#ll += 2 * this.#dl * seconds + square;
    this.#od += this.#dd * seconds;
    this.#dl += this.#dd * seconds;
    this.#dd += driftWanderPpm2PerSecond * seconds;
  }

  /** How much a measurement would differ from what is expected, in microseconds; 0 where nothing is. */
  unexpected(levelUs: number): number {
    return this.#isLevelKnown ? levelUs - this.#level : 0;
  }

  /** @returns how much it differs from what was expected, in microseconds; 0 where nothing was */
  measure(levelUs: number, noiseUs: number): number {
    if (!this.#isLevelKnown) return this.#begin(levelUs, noiseUs);
    const difference = levelUs - this.#level;
    const variance = this.#ll + noiseUs * noiseUs;
    const bearable = Math.max(minOutlierUs, outlierDeviations * Math.sqrt(variance));
    if (Math.abs(difference) > bearable) {
      if (++this.#outliers <= maxOutliers) return difference;
      this.relevel();
      return this.#begin(levelUs, noiseUs);
    }
    this.#outliers = 0;
    this.#measures++;
    this.#suspectChange(difference / Math.sqrt(variance));
    const [forOffset, forDrift, forLevel] = [this.#ol / variance, this.#dl / variance, this.#ll / variance];
    this.#offset += forOffset * difference;
    this.#drift += forDrift * difference;
    this.#level += forLevel * difference;
    this.#oo -= forOffset * this.#ol;
    this.#od -= forOffset * this.#dl;
    this.#dd -= forDrift * this.#dl;
    const rest = (noiseUs * noiseUs) / variance;
    this.#ol *= rest;
    this.#dl *= rest;
    this.#ll *= rest;
    return difference;
  }

  /** From here on the constant part is another one. */
  relevel(): void {
    this.#outliers = 0;
    this.#bias = 0;
    this.#isLevelKnown = false;
  }

  /** From here on there is no offset: whatever there was has been made up for. */
  clearOffset(): void {
    this.#offset = 0;
    this.#oo = 0;
    this.#od = 0;
    this.#ol = 0;
  }

  /** Where the distance goes on to differ to one side, the clock is another one, or changed its drift. */
  #suspectChange(deviations: number): void {
    this.#bias += (deviations - this.#bias) / biasMeasures;
    if (Math.abs(this.#bias) > maxBias) this.#dd = Math.max(this.#dd, changedDriftPpm ** 2);
  }

  #begin(levelUs: number, noiseUs: number): 0 {
    this.#isLevelKnown = true;
    this.#level = levelUs;
    this.#ol = 0;
    this.#dl = 0;
    this.#ll = noiseUs * noiseUs;
    return 0;
  }
}
