/** Arrivals of each of these are noted at once. A power of two. */
export const notedPackets = 64;
const firstRows = 64;

/** When packets came, of many legs in one place: a row for each. */
export class ArrivalNotes {
  /** Row after row, in monotonic microseconds. */
  times = new Float64Array(firstRows * notedPackets);
  #rows = 0;
  readonly #free: number[] = [];

  /** @returns where a row begins that nobody else has */
  takeRow(): number {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    const begin = this.#rows++ * notedPackets;
    if (begin >= this.times.length) {
      const grown = new Float64Array(2 * this.times.length);
      grown.set(this.times);
      this.times = grown;
    }
    return begin;
  }

  giveBack(row: number): void {
    this.#free.push(row);
  }
}
