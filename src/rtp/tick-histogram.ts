/** Upper bounds of the buckets but the last, which has none. The steps are fine where it is decided what can be heard. */
export const latenessBoundsUs: readonly number[] = [
  ...[50, 100, 200, 300, 500, 750],
  ...[1000, 1500, 2000, 3000, 4000, 5000, 7500],
  ...[10_000, 15_000, 20_000, 30_000, 40_000, 60_000, 100_000, 200_000, 500_000, 1_000_000],
];

/** How late ticks began. */
export class TickHistogram {
  readonly #counts = new Array<number>(latenessBoundsUs.length + 1).fill(0);
  #sumUs = 0;

  add(latenessUs: number): void {
    let bucket = 0;
    while (latenessUs > latenessBoundsUs[bucket]!) bucket++;
    this.#counts[bucket]!++;
    this.#sumUs += latenessUs;
  }

  /** By bucket, `latenessBoundsUs` and one for what is later than all of them. */
  get counts(): readonly number[] {
    return this.#counts;
  }

  get sumUs(): number {
    return this.#sumUs;
  }
}
