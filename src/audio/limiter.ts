/**
 * Keeps a sum of several signals within 16 bits without clipping it. The gain at a sample follows from fixed windows
 * around it, on a grid of blocks that begins at absolute position 0, and from nothing else:
 *
 * - each block of 10 ms has the gain that brings its own peak to full scale, 1 where nothing exceeds it;
 * - a node stands between two blocks, no higher than either block's gain, and no higher than the releases of the
 *   `limiterHistoryBlocks` blocks before it, which rise in a straight line back to 1;
 * - between two nodes the gain is a straight line.
 *
 * So rendering any part of a file gives the same bytes as rendering all of it, and where both nodes are 1 the output
 * is the input, bit for bit.
 */
export const limiterHistoryBlocks = 20;
export const limiterLookaheadBlocks = 1;

const largest = 32_767;

export function limiterBlockSamples(rateHz: number): number {
  return Math.round(rateHz / 100);
}

/** What must be fed for the output in `[firstSample, endSample)` to be the same as in the whole; `end` may lie behind the signal's end. */
export function limiterContext(
  rateHz: number,
  firstSample: number,
  endSample: number,
): { firstSample: number; endSample: number } {
  const block = limiterBlockSamples(rateHz);
  return {
    firstSample: Math.max(0, (Math.floor(firstSample / block) - limiterHistoryBlocks) * block),
    endSample: (Math.ceil(endSample / block) + limiterLookaheadBlocks) * block,
  };
}

export class Limiter {
  readonly #block: number;
  /** The block that waits for its successor's gain, then the one being filled. */
  #waiting: Int32Array;
  #filling: Int32Array;
  /** Index within their blocks of the first sample that exists, and past the last. */
  #waitingStart = 0;
  #fillStart: number;
  #filled: number;
  #peak = 0;
  #hasWaiting = false;
  /** Gains of the latest blocks, newest first; most signals are never too loud, and have none. */
  #gains: Float64Array | undefined;
  /** The node at the start of the waiting block. */
  #node = 1;
  /** Blocks since one was too loud. */
  #quietBlocks = limiterHistoryBlocks;

  /** @param startSample absolute position of the first sample; before it there is silence */
  constructor(rateHz: number, startSample = 0) {
    this.#block = limiterBlockSamples(rateHz);
    const memory = new Int32Array(2 * this.#block);
    this.#waiting = memory.subarray(0, this.#block);
    this.#filling = memory.subarray(this.#block);
    this.#fillStart = startSample % this.#block;
    this.#filled = this.#fillStart;
  }

  /** Room that `push` of so many samples, or `flush` after it, needs at most. */
  maxOutput(samples: number): number {
    return samples + 2 * this.#block;
  }

  /**
   * Takes the next sums; gives back earlier samples, in all at most two blocks behind.
   * @returns the number of samples written to `out` from `outOffset`
   */
  push(sums: Int32Array, out: Int16Array, outOffset = 0): number {
    let written = 0;
    for (let read = 0; read < sums.length; ) {
      const take = Math.min(sums.length - read, this.#block - this.#filled);
      for (let i = 0; i < take; i++) {
        const sum = sums[read + i]!;
        this.#filling[this.#filled + i] = sum;
        const excess = sum < 0 ? -1 - sum : sum;
        if (excess > this.#peak) this.#peak = excess;
      }
      read += take;
      this.#filled += take;
      if (this.#filled === this.#block) written += this.#closeBlock(out, outOffset + written);
    }
    return written;
  }

  /** Whether what was pushed so far changes nothing of what follows. */
  get isIdle(): boolean {
    return this.#quietBlocks >= limiterHistoryBlocks && this.#node === 1 && this.#peak <= largest;
  }

  /** Nothing is held back. */
  get isEmpty(): boolean {
    return !this.#hasWaiting && this.#filled === this.#fillStart;
  }

  /**
   * Gives back all that it holds, while it is idle: nothing up to the end of the block behind that of the next sample is
   * too loud.
   * @returns the number of samples written to `out`
   */
  drain(out: Int16Array): number {
    let at = 0;
    if (this.#hasWaiting) at = copyPart(this.#waiting, this.#waitingStart, this.#block, out, at);
    at = copyPart(this.#filling, this.#fillStart, this.#filled, out, at);
    this.#hasWaiting = false;
    this.#peak = 0;
    this.pass(0);
    return at;
  }

  /** So many samples go by, while it is idle and empty: neither they nor those of the block behind them are too loud. */
  pass(samples: number): void {
    this.#filled = (this.#filled + samples) % this.#block;
    this.#fillStart = this.#filled;
  }

  /**
   * Gives back the rest; behind the end there is silence. The limiter is not to be used any more.
   * @returns the number of samples written to `out` from `outOffset`
   */
  flush(out: Int16Array, outOffset = 0): number {
    const end = this.#filled;
    let written = this.#closeBlock(out, outOffset);
    if (end > this.#waitingStart)
      written += this.#emitWaiting(this.#nodeBefore(1), end, out, outOffset + written);
    return written;
  }

  /** The filled block's gain settles the node before it, and with that the block that waited. */
  #closeBlock(out: Int16Array, outOffset: number): number {
    const gain = this.#peak > largest ? largest / this.#peak : 1;
    const node = this.#nodeBefore(gain);
    const written = this.#hasWaiting ? this.#emitWaiting(node, this.#block, out, outOffset) : 0;

    this.#quietBlocks = gain === 1 ? this.#quietBlocks + 1 : 0;
    if (gain !== 1) this.#gains ??= new Float64Array(limiterHistoryBlocks).fill(1);
    this.#gains?.copyWithin(1, 0);
    if (this.#gains) this.#gains[0] = gain;
    this.#node = node;
    const emitted = this.#waiting;
    this.#waiting = this.#filling;
    this.#filling = emitted;
    this.#waitingStart = this.#fillStart;
    this.#hasWaiting = true;
    this.#fillStart = 0;
    this.#filled = 0;
    this.#peak = 0;
    return written;
  }

  /** The node between the newest block of `#gains` and one of gain `next`. */
  #nodeBefore(next: number): number {
    if (!this.#gains) return next;
    let node = next;
    for (let age = 0; age < limiterHistoryBlocks; age++) {
      const gain = this.#gains[age]!;
      const released = gain === 1 ? 1 : gain + ((1 - gain) * age) / limiterHistoryBlocks;
      if (released < node) node = released;
    }
    return node;
  }

  #emitWaiting(nextNode: number, end: number, out: Int16Array, outOffset: number): number {
    const start = this.#waitingStart;
    const waiting = this.#waiting;
    const node = this.#node;
    const slope = (nextNode - node) / this.#block;
    if (node === 1 && nextNode === 1)
      for (let i = start; i < end; i++) out[outOffset + i - start] = waiting[i]!;
    else
      for (let i = start; i < end; i++)
        out[outOffset + i - start] = Math.round(waiting[i]! * (node + slope * i));
    return end - start;
  }
}

function copyPart(from: Int32Array, start: number, end: number, out: Int16Array, at: number): number {
  for (let i = start; i < end; i++) out[at + i - start] = from[i]!;
  return at + end - start;
}
