export const blockBytes = 4096;
const slabBlocks = 256;
const slabShift = 8;
/** As much is kept for the next to come; what a backlog took beyond it is given back. */
const keptSlabs = 16;

/** Blocks of memory by number, side by side in larger pieces: hundreds of runs that grow share them. */
export class BlockSlabs {
  /** By number; undefined where one was given back. */
  readonly #slabs: (Buffer | undefined)[] = [];
  readonly #usedOfSlab: number[] = [];
  #free: number[] = [];
  /** Of a block: the one behind it in its run. */
  #next = new Int32Array(0);

  /** @param behind the last block of the run; -1 where it is the first */
  take(behind: number): number {
    if (this.#free.length === 0) this.#addSlab();
    const block = this.#free.pop()!;
    this.#usedOfSlab[block >> slabShift]!++;
    this.#next[block] = -1;
    if (behind >= 0) this.#next[behind] = block;
    return block;
  }

  /** @returns -1 behind the last of a run */
  next(block: number): number {
    return this.#next[block]!;
  }

  /** All blocks of a run. */
  give(first: number): void {
    for (let block = first; block >= 0; block = this.#next[block]!) {
      this.#free.push(block);
      const slab = block >> slabShift;
      if (--this.#usedOfSlab[slab]! === 0 && this.#free.length > keptSlabs * slabBlocks) this.#dropSlab(slab);
    }
  }

  /** @param at of the block */
  write(block: number, at: number, from: Buffer, start: number, end: number): void {
    const slab = this.#slabs[block >> slabShift]!;
    from.copy(slab, (block & (slabBlocks - 1)) * blockBytes + at, start, end);
  }

  /** @param at of the block */
  read(block: number, at: number, bytes: number, out: Buffer, outAt: number): void {
    const start = (block & (slabBlocks - 1)) * blockBytes + at;
    this.#slabs[block >> slabShift]!.copy(out, outAt, start, start + bytes);
  }

  #addSlab(): void {
    let slab = this.#slabs.indexOf(undefined);
    if (slab < 0) slab = this.#slabs.length;
    this.#slabs[slab] = Buffer.allocUnsafeSlow(slabBlocks * blockBytes);
    this.#usedOfSlab[slab] = 0;
    const first = slab * slabBlocks;
    if (this.#next.length < first + slabBlocks) {
      const next = new Int32Array(2 * (first + slabBlocks));
      next.set(this.#next);
      this.#next = next;
    }
    for (let block = first + slabBlocks - 1; block >= first; block--) this.#free.push(block);
  }

  #dropSlab(slab: number): void {
    this.#slabs[slab] = undefined;
    this.#free = this.#free.filter((block) => block >> slabShift !== slab);
  }
}
