import { windowedSinc } from './windowed-sinc.ts';

/**
 * Changes the sampling rate by a fixed ratio with a windowed-sinc filter in polyphase form. The filter is centred:
 * output sample `n` stands at the time of input sample `n * from / to`, without delay, and depends only on the
 * inputs at most `reachSamples` away from there. So any part of a long signal can be made by itself.
 */

/** Zero crossings of the sinc on each side, at the lower of the two rates. */
const zeroCrossings = 20;
/** Shape of the Kaiser window; 7.2 keeps the stop band 73 dB down. */
const kaiserBeta = 7.2;

interface PolyphaseFilter {
  /** Up by `up`, down by `down`, in lowest terms. */
  up: number;
  down: number;
  /** Inputs on each side that an output depends on. */
  reach: number;
  /** `up` phases of `2 * reach` taps each. */
  taps: Float64Array;
}

const filters = new Map<string, PolyphaseFilter>();
/** Files may come with any rate; their filters are as large as a megabyte. */
const maxFilters = 32;

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

function polyphaseFilter(fromHz: number, toHz: number): PolyphaseFilter {
  const divisor = greatestCommonDivisor(fromHz, toHz);
  const up = toHz / divisor;
  const down = fromHz / divisor;
  const key = `${up}/${down}`;
  let filter = filters.get(key);
  if (filter) return filter;
  if (filters.size >= maxFilters) filters.clear();
  filters.set(key, (filter = buildFilter(up, down)));
  return filter;
}

function buildFilter(up: number, down: number): PolyphaseFilter {
  const slower = Math.max(up, down);
  // Even, so that the taps of a phase can be summed in fours.
  const reach = 2 * Math.ceil((zeroCrossings * slower) / up / 2);
  const taps = new Float64Array(up * 2 * reach);
  for (let phase = 0; phase < up; phase++) {
    const row = taps.subarray(phase * 2 * reach, (phase + 1) * 2 * reach);
    for (let tap = 0; tap < row.length; tap++)
      row[tap] = windowedSinc((phase + (reach - 1 - tap) * up) / slower, zeroCrossings, kaiserBeta);
    // Each phase passes a constant unchanged; otherwise the phases' small differences would be heard as a tone.
    const sum = row.reduce((total, value) => total + value, 0);
    for (let tap = 0; tap < row.length; tap++) row[tap]! /= sum;
  }
  return { up, down, reach, taps };
}

/** The exact number of samples that `samples` become. */
export function resampledLength(samples: number, fromHz: number, toHz: number): number {
  const divisor = greatestCommonDivisor(fromHz, toHz);
  return Math.ceil((samples * (toHz / divisor)) / (fromHz / divisor));
}

/**
 * One stream. To make a part of a longer signal, begin at an input position that is a multiple of `alignSamples`
 * and `reachSamples` ahead of the part, and drop the outputs before it: the rest is equal bit for bit.
 */
export class Resampler {
  readonly fromHz: number;
  readonly toHz: number;
  /** Inputs on each side that an output depends on; before the first and behind the last there is silence. */
  readonly reachSamples: number;
  /** Input positions at multiples of this fall on an output sample. */
  readonly alignSamples: number;
  readonly #filter: PolyphaseFilter;
  /** Inputs from index `#base` on, `#held` of them. */
  #buffer: Float64Array;
  #base: number;
  #held: number;
  #received = 0;
  #produced = 0;

  /** @param fromHz whole numbers both */
  constructor(fromHz: number, toHz: number) {
    this.fromHz = fromHz;
    this.toHz = toHz;
    this.#filter = polyphaseFilter(fromHz, toHz);
    this.reachSamples = this.#filter.reach;
    this.alignSamples = this.#filter.down;
    this.#buffer = new Float64Array(8 * this.#filter.reach);
    this.#base = -this.#filter.reach;
    this.#held = this.#filter.reach;
  }

  /** Room that `push` of so many samples, or `flush` after it, needs at most. */
  maxOutput(samples: number): number {
    return resampledLength(samples + this.reachSamples, this.fromHz, this.toHz) + 1;
  }

  /** @returns the number of samples written to `out` from `outOffset` */
  push(samples: Int16Array, out: Int16Array, outOffset = 0): number {
    this.#append(samples.length).set(samples);
    this.#received += samples.length;
    return this.#produce(out, outOffset, Number.POSITIVE_INFINITY);
  }

  /**
   * Ends the stream: all outputs together are then exactly `resampledLength` of all inputs.
   * @returns the number of samples written to `out` from `outOffset`
   */
  flush(out: Int16Array, outOffset = 0): number {
    this.#append(this.reachSamples + 1).fill(0);
    return this.#produce(out, outOffset, resampledLength(this.#received, this.fromHz, this.toHz));
  }

  /** Makes room behind the held samples, dropping those no output needs any more. @returns the room */
  #append(samples: number): Float64Array {
    const { up, down, reach } = this.#filter;
    const firstNeeded = Math.floor((this.#produced * down) / up) - reach + 1;
    const stale = Math.max(0, Math.min(this.#held, firstNeeded - this.#base));
    const kept = this.#buffer.subarray(stale, this.#held);
    if (kept.length + samples > this.#buffer.length) {
      const larger = new Float64Array(2 * (kept.length + samples));
      larger.set(kept);
      this.#buffer = larger;
    } else {
      this.#buffer.copyWithin(0, stale, this.#held);
    }
    this.#base += stale;
    const end = this.#held - stale;
    this.#held = end + samples;
    return this.#buffer.subarray(end, this.#held);
  }

  /** Makes outputs as far as their inputs are there, at most up to number `limit` of the stream. */
  #produce(out: Int16Array, outOffset: number, limit: number): number {
    const { up, down, reach, taps } = this.#filter;
    const buffer = this.#buffer;
    const width = 2 * reach;
    const last = Math.floor(((this.#base + this.#held - reach) * up - 1) / down);
    const end = Math.min(limit, last + 1, this.#produced + out.length - outOffset);
    const first = this.#produced;
    for (let n = first; n < end; n++) {
      const numerator = n * down;
      const centre = Math.floor(numerator / up);
      const row = (numerator - centre * up) * width;
      const start = centre - reach + 1 - this.#base;
      // Four sums side by side: one alone would wait for each addition before the next.
      let a = 0;
      let b = 0;
      let c = 0;
      let d = 0;
      for (let tap = 0; tap < width; tap += 4) {
        a += taps[row + tap]! * buffer[start + tap]!;
        b += taps[row + tap + 1]! * buffer[start + tap + 1]!;
        c += taps[row + tap + 2]! * buffer[start + tap + 2]!;
        d += taps[row + tap + 3]! * buffer[start + tap + 3]!;
      }
      const sum = a + b + (c + d);
      out[outOffset + n - first] = sum >= 32_767 ? 32_767 : sum <= -32_768 ? -32_768 : Math.round(sum);
    }
    this.#produced = Math.max(first, end);
    return this.#produced - first;
  }
}

/** A whole signal at once. @returns exactly `resampledLength` samples */
export function resample(samples: Int16Array, fromHz: number, toHz: number): Int16Array {
  if (fromHz === toHz) return samples.slice();
  const resampler = new Resampler(fromHz, toHz);
  const out = new Int16Array(resampledLength(samples.length, fromHz, toHz));
  const pushed = resampler.push(samples, out);
  resampler.flush(out, pushed);
  return out;
}
