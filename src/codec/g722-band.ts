/**
 * One sub-band of ITU-T G.722: its log-scaled step size and its predictor of two poles and six zeros (section 3.6 of
 * the recommendation, the same for both bands, in the 16-bit arithmetic of its section 6.2.1). Encoder and decoder
 * keep identical copies. No product needs more than 32 bits, which `Math.imul` tells the compiler.
 */

/** Indices into the state of a band, after the recommendation's names. */
const signal = 0;
const zeroSection = 1;
const logStep = 2;
const step = 3;
/** Partially reconstructed signals of the two samples before. */
const partial1 = 4;
const partial2 = 5;
const reconstructed1 = 6;
const reconstructed2 = 7;
const pole1 = 8;
const pole2 = 9;
/** Six zero coefficients, then the six quantised differences they weigh. */
const zeros = 10;
const differences = 16;
const stateLength = 22;
const order = 6;

/** Table 15/G.722, ILB: powers of two in steps of a 32nd. */
const inverseLog = Int32Array.of(
  ...[2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834],
  ...[2896, 2960, 3025, 3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008],
);

function saturate(value: number): number {
  return value > 32_767 ? 32_767 : value < -32_768 ? -32_768 : value;
}

export interface BandLimits {
  /** Bounds of the logarithmic step size, and the shift from there to the linear one (10.6.1, SCALEL and SCALEH). */
  maxLogStep: number;
  scaleShift: number;
  firstStep: number;
}

export const lowerBandLimits: BandLimits = { maxLogStep: 18_432, scaleShift: 8, firstStep: 32 };
export const higherBandLimits: BandLimits = { maxLogStep: 22_528, scaleShift: 10, firstStep: 8 };

export class G722Band {
  readonly #state = new Int32Array(stateLength);
  readonly #limits: BandLimits;

  constructor(limits: BandLimits) {
    this.#limits = limits;
    this.#state[step] = limits.firstStep;
  }

  copyState(from: G722Band): void {
    this.#state.set(from.#state);
  }

  /** The predicted signal of the coming sample. */
  get predicted(): number {
    return this.#state[signal]!;
  }

  /** The quantiser's step size for the coming sample. */
  get step(): number {
    return this.#state[step]!;
  }

  /** Takes the quantised `difference` of this sample and what its code adds to the logarithmic step size. */
  adapt(difference: number, logStepChange: number): void {
    this.#scale(logStepChange);
    this.#predict(difference);
  }

  /** LOGSCL and SCALEL, LOGSCH and SCALEH. */
  #scale(change: number): void {
    const state = this.#state;
    const { maxLogStep, scaleShift } = this.#limits;
    const raw = (Math.imul(state[logStep]!, 127) >> 7) + change;
    const logarithm = raw < 0 ? 0 : raw > maxLogStep ? maxLogStep : raw;
    state[logStep] = logarithm;
    const mantissa = inverseLog[(logarithm >> 6) & 31]!;
    const shift = scaleShift - (logarithm >> 11);
    state[step] = (shift < 0 ? mantissa << -shift : mantissa >> shift) << 2;
  }

  #predict(difference: number): void {
    const state = this.#state;
    const reconstructed = saturate(state[signal]! + difference);
    const partial = saturate(state[zeroSection]! + difference);
    this.#adaptPoles(partial);
    state[partial2] = state[partial1]!;
    state[partial1] = partial;
    state[reconstructed2] = state[reconstructed1]!;
    state[reconstructed1] = reconstructed;
    const zeroPart = this.#adaptZeros(difference);
    const first = Math.imul(state[pole1]!, saturate(2 * reconstructed)) >> 15;
    const second = Math.imul(state[pole2]!, saturate(2 * state[reconstructed2]!)) >> 15;
    state[zeroSection] = zeroPart;
    state[signal] = saturate(saturate(first + second) + zeroPart);
  }

  /** UPPOL2 and UPPOL1; the signs of partial signals decide. What cannot overflow here is not saturated. */
  #adaptPoles(partial: number): void {
    const state = this.#state;
    const like1 = (partial ^ state[partial1]!) >= 0;
    const like2 = (partial ^ state[partial2]!) >= 0;
    const slope = saturate(state[pole1]! << 2);
    const turned = like1 ? (slope === -32_768 ? 32_767 : -slope) : slope;
    const raw2 = (like2 ? 128 : -128) + (turned >> 7) + (Math.imul(state[pole2]!, 32_512) >> 15);
    const next2 = raw2 > 12_288 ? 12_288 : raw2 < -12_288 ? -12_288 : raw2;
    const raw1 = (like1 ? 192 : -192) + (Math.imul(state[pole1]!, 32_640) >> 15);
    const limit = 15_360 - next2;
    state[pole1] = raw1 > limit ? limit : raw1 < -limit ? -limit : raw1;
    state[pole2] = next2;
  }

  /**
   * UPZERO, DELAYA and FILTEZ in one pass. The leak bounds the coefficients, and the step the differences, so that
   * only their sum can overflow.
   * @returns the zero section's part of the next prediction
   */
  #adaptZeros(difference: number): number {
    const state = this.#state;
    const gain = difference === 0 ? 0 : 128;
    let newer = difference;
    let sum = 0;
    for (let i = 0; i < order; i++) {
      const older = state[differences + i]!;
      const towards = (older ^ difference) >= 0 ? gain : -gain;
      const coefficient = towards + (Math.imul(state[zeros + i]!, 32_640) >> 15);
      state[zeros + i] = coefficient;
      sum += Math.imul(coefficient, newer) >> 14;
      state[differences + i] = newer;
      newer = older;
    }
    return saturate(sum);
  }
}
