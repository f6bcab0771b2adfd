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

/** The sum of a recording's channels, at 8 kHz. */
export class ChannelSum {
  readonly #startSample: number;
  readonly #sum: Int32Array;

  /**
   * @param startSample of the recording, on the clock of its conversation, by which the limiter's blocks begin
   * @param length of the recording
   */
  constructor(startSample: number, length: number) {
    this.#startSample = startSample;
    this.#sum = new Int32Array(length);
  }

  /** @param startSample of the channel, on the same clock @throws RangeError where it is not within the recording */
  add(channel: Int16Array, startSample: number): void {
    const offset = startSample - this.#startSample;
    if (offset < 0 || offset + channel.length > this.#sum.length)
      throw new RangeError(`a channel of ${channel.length} samples at ${offset} of ${this.#sum.length}`);
    const sum = this.#sum;
    for (let i = 0; i < channel.length; i++) sum[offset + i] = sum[offset + i]! + channel[i]!;
  }

  /**
   * Holds a mix to the sum twice: bit for bit to what our limiter makes of it, and without it to what a limiter may do
   * at all, so that neither a fault of the mix nor one of the limiter passes.
   */
  verify(mix: Int16Array): MixFindings {
    const sum = this.#sum;
    const limited = limit(sum, this.#startSample);
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
