import { setImmediate } from 'node:timers/promises';

/**
 * Pieces of work of many on one thread, one after the other in the order in which they were asked for. Between any two
 * the thread takes what has come in: what is quick is never behind all that waits here.
 */
export class Turns {
  readonly #waiting: (() => void)[] = [];
  #isRunning = false;

  /** Settles when it is the caller's turn; what it does then at once is one piece. */
  take(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push(resolve);
    if (!this.#isRunning) void this.#run();
    return promise;
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    for (;;) {
      await setImmediate();
      const next = this.#waiting.shift();
      if (!next) break;
      next();
    }
    this.#isRunning = false;
  }
}
