/** Pieces in a row that hold entries. */
interface UsedPieces {
  first: number;
  count: number;
  /** Once so much is read nobody needs them. */
  endIndex: number;
}

/** Which pieces of a ring's memory are in use, on the producer's side. */
export class RingPieces {
  /** Those that were used last are taken first; those that never were lie at the bottom. */
  #free: number[];
  /** In the order of their use, without the one that is written to. */
  readonly #used: UsedPieces[] = [];
  #first = 0;
  #count = 0;

  constructor(count: number) {
    this.#free = Array.from({ length: count }, (_, at) => count - 1 - at);
  }

  /**
   * Goes from the pieces that are written to on to so many others, in a row.
   * @param endIndex where the entries end that were written until now
   * @returns the first of them; -1 where there are not so many
   */
  goOn(count: number, endIndex: number): number {
    const [first, had] = [this.#first, this.#count];
    const next = this.take(count);
    if (next >= 0) this.#used.push({ first, count: had, endIndex });
    return next;
  }

  /** As `goOn` for the first. */
  take(count: number): number {
    const first = count === 1 ? (this.#free.pop() ?? -1) : this.#takeRow(count);
    if (first >= 0) [this.#first, this.#count] = [first, count];
    return first;
  }

  /** @param readIndex everything before it was read */
  giveBack(readIndex: number): void {
    while (this.#used.length > 0 && ((readIndex - this.#used[0]!.endIndex) | 0) >= 0) {
      const { first, count } = this.#used.shift()!;
      for (let piece = first + count - 1; piece >= first; piece--) this.#free.push(piece);
    }
  }

  #takeRow(count: number): number {
    const sorted = this.#free.toSorted((a, b) => a - b);
    const at = sorted.findIndex((piece, index) => sorted[index + count - 1] === piece + count - 1);
    if (at < 0) return -1;
    const first = sorted[at]!;
    this.#free = this.#free.filter((piece) => piece < first || piece >= first + count);
    return first;
  }
}
