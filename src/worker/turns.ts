import { setImmediate } from 'node:timers/promises';
import { type Clock, sleep } from '../clock.ts';

/** So long after something quick more of it is waited for. */
const moreQuickUs = 2000;
/** What waits for its turn waits no longer for what is quick. */
const longestUs = 30_000;

/**
 * Pieces of work of many on one thread, one after the other in the order in which they were asked for. Between any two
 * the thread takes what has come in: what is quick is never behind all that waits here.
 */
export class Turns {
  readonly #clock: Clock;
  readonly #waiting: (() => void)[] = [];
  #isRunning = false;
  #quickUs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Settles when it is the caller's turn; what it does then at once is one piece. */
  take(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push(resolve);
    if (!this.#isRunning) void this.#run();
    return promise;
  }

  /**
   * Something quick came. Where many come they come one by one, and the thread would begin with a piece behind each: the
   * next piece waits until no more of them follow.
   */
  quick(): void {
    this.#quickUs = this.#clock.monotonicUs();
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    for (;;) {
      await setImmediate();
      await this.#afterQuick();
      const next = this.#waiting.shift();
      if (!next) break;
      next();
    }
    this.#isRunning = false;
  }

  async #afterQuick(): Promise<void> {
    const untilUs = this.#clock.monotonicUs() + longestUs;
    for (;;) {
      const nowUs = this.#clock.monotonicUs();
      if (nowUs >= this.#quickUs + moreQuickUs || nowUs >= untilUs) return;
      await sleep(this.#clock, 1);
    }
  }
}
