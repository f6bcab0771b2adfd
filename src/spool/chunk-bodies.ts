const memoryBytes = 512 * 1024;

/**
 * Memory for what chunks hold, where it is forgotten as soon as it was taken in: for each of them to have its own would
 * be most of what is allocated. What does not fit has its own.
 */
export class ChunkBodies {
  #memory: Buffer | undefined;
  #used = 0;

  take(bytes: number): Buffer {
    const at = this.#used;
    if (at + bytes > memoryBytes) return Buffer.allocUnsafeSlow(bytes);
    this.#memory ??= Buffer.allocUnsafeSlow(memoryBytes);
    this.#used += bytes;
    return this.#memory.subarray(at, this.#used);
  }

  /** Of what was taken last nothing is held. */
  giveBack(taken: Uint8Array): void {
    if (taken.buffer === this.#memory?.buffer && taken.byteOffset + taken.length === this.#used)
      this.#used = taken.byteOffset;
  }

  /** Nothing of it is held any more. */
  reset(): void {
    this.#used = 0;
  }
}
