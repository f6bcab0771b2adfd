/** How far behind the newest packet one may come: 10 s of packets of 20 ms. RFC 3711 section 3.3.2 asks for 64. */
const windowPackets = 512;

/** Which packet indices of one stream were seen (RFC 3711 section 3.3.2). */
export class SrtpReplayWindow {
  readonly #seen = new Uint8Array(windowPackets);
  #highest = -1;

  /** -1 before the first packet. */
  get highest(): number {
    return this.#highest;
  }

  /** Seen before, or too old to tell. */
  isReplay(index: number): boolean {
    if (index > this.#highest) return false;
    return index <= this.#highest - windowPackets || this.#seen[index % windowPackets] === 1;
  }

  add(index: number): void {
    if (index > this.#highest) {
      const passed = Math.min(index - this.#highest - 1, windowPackets);
      for (let i = 0; i < passed; i++) this.#seen[(index - 1 - i) % windowPackets] = 0;
      this.#highest = index;
    }
    this.#seen[index % windowPackets] = 1;
  }

  /**
   * The index that a 16-bit sequence number most likely stands for: the one nearest to the highest (RFC 3711
   * appendix A). Negative for a packet from before the first wrap that cannot have been.
   */
  estimate(sequenceNumber: number): number {
    const highestSequence = this.#highest % 0x1_0000;
    return this.#highest + (((sequenceNumber - highestSequence) << 16) >> 16);
  }
}
