import type { Clock } from '../clock.ts';
import type { Endpoint } from './transport.ts';

const maxEndpoints = 1_000;
const forgetUs = 60_000_000;

/** Targets that did not answer lately: asked last, so that not every call waits for a host that is down. */
export class Unreachable {
  readonly #clock: Clock;
  readonly #untilUs = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(endpoint: Endpoint): void {
    const key = keyOf(endpoint);
    this.#untilUs.delete(key);
    if (this.#untilUs.size >= maxEndpoints) {
      const [oldest = ''] = this.#untilUs.keys();
      this.#untilUs.delete(oldest);
    }
    this.#untilUs.set(key, this.#clock.monotonicUs() + forgetUs);
  }

  remove(endpoint: Endpoint): void {
    this.#untilUs.delete(keyOf(endpoint));
  }

  has(endpoint: Endpoint): boolean {
    const untilUs = this.#untilUs.get(keyOf(endpoint));
    return untilUs !== undefined && untilUs > this.#clock.monotonicUs();
  }

  /** Those last that did not answer, otherwise in the order given. */
  sort(endpoints: readonly Endpoint[]): Endpoint[] {
    return endpoints.toSorted((a, b) => Number(this.has(a)) - Number(this.has(b)));
  }
}

function keyOf({ transport, address, port }: Endpoint): string {
  return `${transport} ${address} ${port}`;
}
