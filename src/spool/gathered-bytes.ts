const blockBytes = 4096;
/** As much is kept for the next to come; what a backlog took beyond it is given back. */
const keptBlocks = 4096;

/** Memory for many runs that grow and are emptied again and again, in blocks that they share. */
export class BlockPool {
  readonly #free: Buffer[] = [];

  take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(blockBytes);
  }

  give(blocks: readonly Buffer[]): void {
    for (const block of blocks) if (this.#free.length < keptBlocks) this.#free.push(block);
  }
}

/** A run of bytes that lies in blocks of a pool. */
export class GatheredBytes {
  readonly #pool: BlockPool;
  #blocks: Buffer[] = [];
  #length = 0;

  constructor(pool: BlockPool) {
    this.#pool = pool;
  }

  get length(): number {
    return this.#length;
  }

  /** @param bytes copied */
  add(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) {
      const at = this.#length % blockBytes;
      if (at === 0) this.#blocks.push(this.#pool.take());
      const part = Math.min(bytes.length - done, blockBytes - at);
      const block = this.#blocks.at(-1)!;
      block.set(part === bytes.length ? bytes : bytes.subarray(done, done + part), at);
      done += part;
      this.#length += part;
    }
  }

  /** Copies what lies behind the first `from` bytes. @returns the position in `out` behind it */
  copyTo(out: Buffer, at: number, from = 0): number {
    let position = at;
    for (let next = from; next < this.#length; ) {
      const start = next % blockBytes;
      const end = Math.min(blockBytes, start + this.#length - next);
      this.#blocks[Math.floor(next / blockBytes)]!.copy(out, position, start, end);
      position += end - start;
      next += end - start;
    }
    return position;
  }

  clear(): void {
    this.#pool.give(this.#blocks);
    this.#blocks = [];
    this.#length = 0;
  }
}
