import type { Decoder, Encoder } from './codec.ts';
import { G722Band, higherBandLimits, lowerBandLimits } from './g722-band.ts';

/**
 * ITU-T G.722 at 64 kbit/s: 16 kHz audio in two sub-bands, six bits for the lower, two for the higher, one byte for
 * each two samples. Its RTP clock runs at 8000 Hz all the same (RFC 3551 section 4.5.2).
 */
export const g722RateHz = 16_000;

/** Table 11/G.722: the quadrature mirror filter's taps, every second one (it is symmetric). */
const qmfTaps = Int32Array.of(3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11);
const tapPairs = qmfTaps.length;

/** The lower band's quantiser: decision levels (Q6), and the codes of positive and negative differences (ILP, ILN). */
const decisionLevels = Int32Array.of(
  ...[35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714, 786, 858, 940, 1023, 1121],
  ...[1219, 1339, 1458, 1612, 1765, 1980, 2195, 2557, 2919],
);
const highestInterval = decisionLevels.length + 1;

/** Interval 1 is the smallest difference. */
function lowerCode(interval: number, isNegative: boolean): number {
  if (isNegative) return interval < 3 ? 64 - interval : 34 - interval;
  return 62 - interval;
}

/** QM6: what a six-bit code of the lower band stands for, in 32768ths of the step. */
const lowerLevels = Int32Array.of(
  ...[-136, -136, -136, -136, -24_808, -21_904, -19_008, -16_704, -14_984, -13_512, -12_280, -11_192],
  ...[-10_232, -9360, -8576, -7856, -7192, -6576, -6000, -5456, -4944, -4464, -4008, -3576, -3168, -2776],
  ...[
    -2400, -2032, -1688, -1360, -1040, -728, 24_808, 21_904, 19_008, 16_704, 14_984, 13_512, 12_280, 11_192,
  ],
  ...[10_232, 9360, 8576, 7856, 7192, 6576, 6000, 5456, 4944, 4464, 4008, 3576, 3168, 2776, 2400, 2032, 1688],
  ...[1360, 1040, 728, 432, 136, -432, -136],
);
/** QM4: its upper four bits alone; both sides adapt by these. */
const adaptingLevels = Int32Array.of(
  ...[0, -20_456, -12_896, -8968, -6288, -4240, -2584, -1200],
  ...[20_456, 12_896, 8968, 6288, 4240, 2584, 1200, 0],
);
/** WL by RL42: change of the logarithmic step for each four-bit code. */
const lowerLogSteps = Int32Array.of(
  ...[-60, 3042, 1198, 538, 334, 172, 58, -30, 3042, 1198, 538, 334, 172, 58, -30, -60],
);
/** QM2, and WH by RH2, for the two bits of the higher band. */
const higherLevels = Int32Array.of(-7408, -1616, 7408, 1616);
const higherLogSteps = Int32Array.of(798, -214, 798, -214);
/** Q2: the higher band's only decision level. */
const higherDecision = 564;

/**
 * In 32768ths of the step, by how much the code of another encoder may be worse where it is taken. Of speech these
 * cost 1 dB of what a listener has beside the signal anyway, and two encoders say the same after two to five seconds;
 * with twice as much they do in half of the time, and cost 3 dB.
 */
const lowerTolerance = 655;
const higherTolerance = 4096;

/** The ring of the last 24 samples of a filter, kept twice so that any 24 lie in one piece. */
const span = 2 * tapPairs;

class FilterDelay {
  readonly samples = new Int32Array(2 * span);
  /** Where the oldest sample lies. */
  start = 0;

  push(even: number, odd: number): void {
    const { samples, start } = this;
    samples[start] = even;
    samples[start + 1] = odd;
    samples[start + span] = even;
    samples[start + span + 1] = odd;
    this.start = start + 2 === span ? 0 : start + 2;
  }

  copyState(from: FilterDelay): void {
    this.samples.set(from.samples);
    this.start = from.start;
  }
}

function saturate(value: number): number {
  return value > 32_767 ? 32_767 : value < -32_768 ? -32_768 : value;
}

/** One for each stream: a packet is decoded by what the packets before it left. */
export function createG722Decoder(): Decoder {
  const lower = new G722Band(lowerBandLimits);
  const higher = new G722Band(higherBandLimits);
  const delay = new FilterDelay();
  return {
    rateHz: g722RateHz,
    decode(payload, out) {
      const bytes = Math.min(payload.length, out.length >> 1);
      for (let i = 0; i < bytes; i++) {
        const code = payload[i]!;
        const low = decodeLower(lower, code & 0x3f);
        const high = decodeHigher(higher, code >> 6);
        delay.push(low + high, low - high);
        const { samples, start } = delay;
        let even = 0;
        let odd = 0;
        for (let tap = 0; tap < tapPairs; tap++) {
          odd += Math.imul(samples[start + 2 * tap]!, qmfTaps[tap]!);
          even += Math.imul(samples[start + 2 * tap + 1]!, qmfTaps[tapPairs - 1 - tap]!);
        }
        out[2 * i] = saturate(even >> 11);
        out[2 * i + 1] = saturate(odd >> 11);
      }
      return 2 * bytes;
    },
  };
}

function decodeLower(band: G722Band, code: number): number {
  const { predicted, step } = band;
  const decoded = predicted + ((step * lowerLevels[code]!) >> 15);
  adaptLower(band, code >> 2);
  return limited(decoded);
}

function adaptLower(band: G722Band, code: number): void {
  band.adapt((band.step * adaptingLevels[code]!) >> 15, lowerLogSteps[code]!);
}

function decodeHigher(band: G722Band, code: number): number {
  const difference = (band.step * higherLevels[code]!) >> 15;
  const decoded = band.predicted + difference;
  band.adapt(difference, higherLogSteps[code]!);
  return limited(decoded);
}

/** LIMIT: the sub-bands' 15 bits. */
function limited(value: number): number {
  return value > 16_383 ? 16_383 : value < -16_384 ? -16_384 : value;
}

/** One for each stream. An odd sample at the end of a call waits for the next one. */
export function createG722Encoder(): Encoder {
  return new G722Encoder();
}

class G722Encoder implements Encoder {
  readonly rateHz = g722RateHz;
  readonly #lower = new G722Band(lowerBandLimits);
  readonly #higher = new G722Band(higherBandLimits);
  readonly #delay = new FilterDelay();
  #waiting: number | undefined;

  encode(samples: Int16Array, out: Uint8Array): number {
    return this.#encode(samples, out, undefined);
  }

  encodeTowards(samples: Int16Array, payload: Uint8Array, out: Uint8Array): number {
    return this.#encode(samples, out, payload);
  }

  #encode(samples: Int16Array, out: Uint8Array, wanted: Uint8Array | undefined): number {
    const lower = this.#lower;
    const higher = this.#higher;
    const delay = this.#delay;
    let waiting = this.#waiting;
    let read = 0;
    let bytes = 0;
    const total = samples.length + (waiting === undefined ? 0 : 1);
    const most = Math.min(total >> 1, out.length);
    for (; bytes < most; bytes++) {
      const first = waiting ?? samples[read++]!;
      waiting = undefined;
      delay.push(first, samples[read++]!);
      const { samples: taps, start } = delay;
      let even = 0;
      let odd = 0;
      for (let tap = 0; tap < tapPairs; tap++) {
        odd += Math.imul(taps[start + 2 * tap]!, qmfTaps[tap]!);
        even += Math.imul(taps[start + 2 * tap + 1]!, qmfTaps[tapPairs - 1 - tap]!);
      }
      const high = (even - odd) >> 14;
      const low = (even + odd) >> 14;
      const code = wanted?.[bytes];
      const higherCode = encodeHigher(higher, high, code === undefined ? undefined : code >> 6);
      out[bytes] = (higherCode << 6) | encodeLower(lower, low, code === undefined ? undefined : code & 0x3f);
    }
    if (read < samples.length && total >> 1 === most) waiting = samples[read]!;
    this.#waiting = waiting;
    return bytes;
  }

  copyState(from: Encoder): void {
    if (!(from instanceof G722Encoder)) return;
    this.#lower.copyState(from.#lower);
    this.#higher.copyState(from.#higher);
    this.#delay.copyState(from.#delay);
    this.#waiting = from.#waiting;
  }
}

/** @param wanted what is taken where it is as good */
function encodeLower(band: G722Band, sample: number, wanted: number | undefined): number {
  const difference = saturate(sample - band.predicted);
  const isNegative = difference < 0;
  const magnitude = isNegative ? ~difference : difference;
  const { step } = band;
  let interval = 1;
  while (interval < highestInterval && magnitude >= (decisionLevels[interval - 1]! * step) >> 12) interval++;
  let code = lowerCode(interval, isNegative);
  if (wanted !== undefined && wanted !== code) {
    const error = lowerError(step, code, difference) + ((step * lowerTolerance) >> 15);
    if (lowerError(step, wanted, difference) <= error) code = wanted;
  }
  adaptLower(band, code >> 2);
  return code;
}

function lowerError(step: number, code: number, difference: number): number {
  return Math.abs(((step * lowerLevels[code]!) >> 15) - difference);
}

function higherError(step: number, code: number, difference: number): number {
  return Math.abs(((step * higherLevels[code]!) >> 15) - difference);
}

function encodeHigher(band: G722Band, sample: number, wanted: number | undefined): number {
  const difference = saturate(sample - band.predicted);
  const isNegative = difference < 0;
  const magnitude = isNegative ? ~difference : difference;
  const isLarge = magnitude >= (higherDecision * band.step) >> 12;
  let code = isNegative ? (isLarge ? 0 : 1) : isLarge ? 2 : 3;
  if (wanted !== undefined && wanted !== code) {
    const error = higherError(band.step, code, difference) + ((band.step * higherTolerance) >> 15);
    if (higherError(band.step, wanted, difference) <= error) code = wanted;
  }
  band.adapt((band.step * higherLevels[code]!) >> 15, higherLogSteps[code]!);
  return code;
}
