/** Counts of values in equal steps from `low` to `high`, kept in an array of the caller's; what lies beyond counts at the border. */
export class Histogram {
  readonly #counts: Float64Array;
  readonly #low: number;
  readonly #step: number;

  constructor(counts: Float64Array, low: number, high: number) {
    this.#counts = counts;
    this.#low = low;
    this.#step = (high - low) / counts.length;
  }

  add(value: number): void {
    const bin = Math.floor((value - this.#low) / this.#step);
    this.#counts[Math.max(0, Math.min(this.#counts.length - 1, bin))]! += 1;
  }

  get total(): number {
    let total = 0;
    const counts = this.#counts;
    for (let bin = 0; bin < counts.length; bin++) total += counts[bin]!;
    return total;
  }

  /**
   * As `percentile`, of several in rising order, each without beginning anew.
   * @param out gets as many
   */
  percentiles(percents: readonly number[], fallback: number, total: number, out: Float64Array): void {
    const counts = this.#counts;
    let bin = 0;
    let below = 0;
    for (let i = 0; i < percents.length; i++) {
      const wanted = (percents[i]! / 100) * total;
      while (bin < counts.length && (below + counts[bin]! < wanted || counts[bin] === 0))
        below += counts[bin++]!;
      const within = bin < counts.length ? Math.max(0, wanted - below) / counts[bin]! : 0;
      out[i] = total < 5 ? fallback : this.#low + this.#step * (bin + within);
    }
  }

  /** The value that `percent` of all lie below, between the borders of its step; `fallback` of fewer than 5. @param total where it is known */
  percentile(percent: number, fallback: number, total = this.total): number {
    if (total < 5) return fallback;
    const wanted = (percent / 100) * total;
    let below = 0;
    for (let bin = 0; bin < this.#counts.length; bin++) {
      const count = this.#counts[bin]!;
      if (below + count >= wanted && count > 0)
        return this.#low + this.#step * (bin + Math.max(0, wanted - below) / count);
      below += count;
    }
    return this.#low + this.#step * this.#counts.length;
  }
}
