/** One piece of work and the memory it holds. */
export interface BudgetShare {
  /** Says how much it holds from now on, before it takes more. */
  holds(bytes: number): void;
  end(): void;
}

interface Share {
  bytes: number;
  giveUp: () => void;
}

/**
 * Bounds the memory of everything that runs at once. Where there is too little, the largest is given up: neither does
 * anything small wait for something large, nor do two wait for each other.
 */
export class ByteBudget {
  readonly #maxBytes: number;
  readonly #shares = new Set<Share>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** @param giveUp ends the work; its share counts no more */
  begin(giveUp: () => void): BudgetShare {
    const share = { bytes: 0, giveUp };
    this.#shares.add(share);
    return {
      holds: (bytes) => this.#holds(share, bytes),
      end: () => this.#end(share),
    };
  }

  #holds(share: Share, bytes: number): void {
    if (!this.#shares.has(share)) return;
    this.#bytes += bytes - share.bytes;
    share.bytes = bytes;
    while (this.#bytes > this.#maxBytes) {
      const largest = [...this.#shares].reduce((best, each) => (each.bytes >= best.bytes ? each : best));
      this.#end(largest);
      largest.giveUp();
    }
  }

  #end(share: Share): void {
    if (this.#shares.delete(share)) this.#bytes -= share.bytes;
  }
}
