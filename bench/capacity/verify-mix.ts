import { Limiter, limiterBlockSamples, limiterHistoryBlocks } from '../../src/audio/limiter.ts';

/** A mix, held to the sum of its channels. */
export interface MixFindings {
  /** Samples that are not what the sum of the channels is behind the limiter, those that are missing or too many too. */
  wrongSamples: number;
  /** Samples of the sum that are beyond 16 bits. */
  tooLoudSamples: number;
}

const largest = 32_767;
const rateHz = 8000;
const block = limiterBlockSamples(rateHz);
/** Around what is looked at to find the limiter's grid: as far as it remembers, and some blocks behind. */
const gridBlocks = limiterHistoryBlocks + 10;

/** The sum of a recording's channels, at 8 kHz, each from the beginning of the recording. */
export class ChannelSum {
  #sum = new Int32Array(0);

  add(channel: Int16Array): void {
    if (this.#sum.length < channel.length) {
      const longer = new Int32Array(channel.length);
      longer.set(this.#sum);
      this.#sum = longer;
    }
    const sum = this.#sum;
    for (let i = 0; i < channel.length; i++) sum[i] = sum[i]! + channel[i]!;
  }

  /**
   * Holds a mix to the sum twice: bit for bit to what our limiter makes of it, and without it to what a limiter may do
   * at all, so that neither a fault of the mix nor one of the limiter passes.
   */
  verify(mix: Int16Array): MixFindings {
    const sum = this.#sum;
    const limited = limit(sum, gridOf(sum, mix));
    const gains = lowestGains(sum);
    let wrongSamples = Math.abs(mix.length - sum.length);
    let tooLoudSamples = 0;
    for (let i = 0; i < Math.min(mix.length, sum.length); i++) {
      const exact = sum[i]!;
      const is = mix[i]!;
      const isWithin =
        Math.abs(is) <= Math.abs(exact) + 1 &&
        Math.abs(is) >= Math.abs(exact) * gains[Math.floor(i / block)]! - 1 &&
        is * exact >= 0;
      if (is !== limited[i] || !isWithin) wrongSamples++;
      if (isTooLoud(exact)) tooLoudSamples++;
    }
    return { wrongSamples, tooLoudSamples };
  }
}

function limit(sum: Int32Array, startSample: number): Int16Array {
  const limiter = new Limiter(rateHz, startSample);
  const out = new Int16Array(limiter.maxOutput(sum.length));
  const written = limiter.push(sum, out);
  return out.subarray(0, written + limiter.flush(out, written));
}

/**
 * The limiter's blocks begin by the clock of the conversation, which the recording joined somewhere.
 * @returns the place of the recording's first sample within a block: the one that suits where it is first too loud
 */
function gridOf(sum: Int32Array, mix: Int16Array): number {
  const first = sum.findIndex(isTooLoud);
  if (first < 0) return 0;
  const from = Math.max(0, first - gridBlocks * block);
  const excerpt = sum.subarray(from, first + gridBlocks * block);
  let best = { grid: 0, wrong: Number.POSITIVE_INFINITY };
  for (let grid = 0; grid < block; grid++) {
    const limited = limit(excerpt, grid + from);
    let wrong = 0;
    // The last block would change with what comes behind it.
    for (let i = 0; i < excerpt.length - 2 * block; i++) if (limited[i] !== mix[from + i]) wrong++;
    if (wrong < best.wrong) best = { grid, wrong };
  }
  return best.grid;
}

/** For each block of any grid: nothing around it asks for less. */
function lowestGains(sum: Int32Array): Float64Array {
  const needed = new Float64Array(Math.ceil(sum.length / block)).fill(1);
  for (let i = 0; i < sum.length; i++) {
    const gain = largest / Math.max(largest, Math.abs(sum[i]!));
    const at = Math.floor(i / block);
    if (gain < needed[at]!) needed[at] = gain;
  }
  return needed.map((_, at) =>
    Math.min(...needed.subarray(Math.max(0, at - limiterHistoryBlocks - 1), at + 3)),
  );
}

function isTooLoud(sum: number): boolean {
  return sum > largest || sum < -1 - largest;
}
