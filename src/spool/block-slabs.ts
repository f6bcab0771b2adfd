import { releaseMemory } from './release-memory.ts';

/** A segment's run ends in a block that is half empty, on average. */
export const blockBytes = 2048;
const slabShift = 7;
const slabBlocks = 1 << slabShift;
export const slabBytes = slabBlocks * blockBytes;
/** So much is kept for the next to come; what a backlog took beyond it is given back. */
const keptSlabs = 4;

interface Slab {
  readonly bytes: Buffer<ArrayBuffer>;
  readonly free: number[];
}

/**
 * Blocks of memory by number, side by side in larger pieces: hundreds of runs that grow share them. A block is taken
 * from the first slab that has one, so the last ones, which a backlog took, are soon free as a whole.
 */
export class BlockSlabs {
  /** By number; undefined where one was given back. */
  readonly #slabs: (Slab | undefined)[] = [];
  #freeBlocks = 0;
  /** None before it has a free block. */
  #firstFree = 0;
  /** Of a block: the one behind it in its run. */
  #next = new Int32Array(0);

  /** Bytes of all slabs. */
  get heldBytes(): number {
    return this.#slabs.filter(Boolean).length * slabBytes;
  }

  /** @param behind the last block of the run; -1 where it is the first */
  take(behind: number): number {
    if (this.#freeBlocks === 0) this.#addSlab();
    let slab = this.#slabs[this.#firstFree];
    while (!slab || slab.free.length === 0) slab = this.#slabs[++this.#firstFree];
    const block = slab.free.pop()!;
    this.#freeBlocks--;
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
      const index = block >> slabShift;
      const { free } = this.#slabs[index]!;
      free.push(block);
      this.#freeBlocks++;
      this.#firstFree = Math.min(this.#firstFree, index);
      if (free.length === slabBlocks && this.#freeBlocks > keptSlabs * slabBlocks) this.#dropSlab(index);
    }
  }

  /** @param at of the block */
  write(block: number, at: number, from: Buffer, start: number, end: number): void {
    const slab = this.#slabs[block >> slabShift]!;
    from.copy(slab.bytes, (block & (slabBlocks - 1)) * blockBytes + at, start, end);
  }

  /** @param at of the block */
  read(block: number, at: number, bytes: number, out: Buffer, outAt: number): void {
    const start = (block & (slabBlocks - 1)) * blockBytes + at;
    this.#slabs[block >> slabShift]!.bytes.copy(out, outAt, start, start + bytes);
  }

  #addSlab(): void {
    let index = this.#slabs.indexOf(undefined);
    if (index < 0) index = this.#slabs.length;
    const first = index * slabBlocks;
    // The lowest is taken first.
    const free = Array.from({ length: slabBlocks }, (_, at) => first + slabBlocks - 1 - at);
    this.#slabs[index] = { bytes: Buffer.allocUnsafeSlow(slabBytes), free };
    this.#freeBlocks += slabBlocks;
    this.#firstFree = index;
    if (this.#next.length >= first + slabBlocks) return;
    const next = new Int32Array(2 * (first + slabBlocks));
    next.set(this.#next);
    this.#next = next;
  }

  #dropSlab(index: number): void {
    releaseMemory(this.#slabs[index]!.bytes);
    this.#slabs[index] = undefined;
    this.#freeBlocks -= slabBlocks;
  }
}
