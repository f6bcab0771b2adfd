import type { Clock } from '../clock.ts';

interface Wait {
  sinceUs: number;
}

/** Who waits for a connection of the database, and for how long. Connections are given in the order of asking. */
export class ConnectionWaits {
  readonly #clock: Clock;
  readonly #waits = new Set<Wait>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @throws whatever `connection` does */
  async during<T>(connection: Promise<T>): Promise<T> {
    const wait = { sinceUs: this.#clock.monotonicUs() };
    this.#waits.add(wait);
    try {
      return await connection;
    } finally {
      this.#waits.delete(wait);
    }
  }

  /** Of who asked first of all that wait now; 0 where nobody does. */
  get longestMs(): number {
    for (const { sinceUs } of this.#waits) return (this.#clock.monotonicUs() - sinceUs) / 1000;
    return 0;
  }
}
