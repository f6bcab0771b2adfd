import type { Clock } from '../clock.ts';

const maxSources = 1_000;
const keepUs = 24 * 3600 * 1_000_000;

/** Addresses that turned out to be known peers, for a day after they were last seen to be. */
export class KnownSources {
  readonly #clock: Clock;
  readonly #untilUs = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(address: string): void {
    this.#untilUs.delete(address);
    if (this.#untilUs.size >= maxSources) {
      const [oldest = ''] = this.#untilUs.keys();
      this.#untilUs.delete(oldest);
    }
    this.#untilUs.set(address, this.#clock.monotonicUs() + keepUs);
  }

  has(address: string): boolean {
    return (this.#untilUs.get(address) ?? Number.NEGATIVE_INFINITY) > this.#clock.monotonicUs();
  }
}
