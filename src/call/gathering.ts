import type { Clock, Timer } from '../clock.ts';

/**
 * Lets those go on together that come to one point at about the same time: who is there waits for who is expected, but
 * not for long. Who is alone does not wait.
 */
export class Gathering {
  readonly #clock: Clock;
  readonly #longestMs: number;
  readonly #expected = new Set<string>();
  #waiting: (() => void)[] = [];
  #timer: Timer | undefined;

  constructor(clock: Clock, longestMs: number) {
    this.#clock = clock;
    this.#longestMs = longestMs;
  }

  /** It is on its way; `ready` follows for certain. */
  expect(id: string): void {
    this.#expected.add(id);
  }

  /** Settles when nobody is expected any more, or the first who waits has waited long enough. */
  ready(id: string): Promise<void> {
    this.#expected.delete(id);
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (this.#expected.size === 0) this.#goOn();
      else this.#timer ??= this.#clock.after(this.#longestMs, () => this.#goOn());
    });
  }

  #goOn(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
