import { type Clock, sleep } from '../clock.ts';
import { isRefusedWrite } from '../database/refused-write.ts';
import type { Logger } from '../logger.ts';

const firstRetryMs = 100;
const maxRetryMs = 5000;

/**
 * Writes to the database in order per key, each retried until it succeeds or is refused for what it says: a stalled
 * database delays rows, never calls or recordings. What is still queued when the process dies is written anew from the spool at the next start.
 */
export class WriteQueue {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #tails = new Map<string, Promise<void>>();
  #closed = false;

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock;
    this.#log = log;
  }

  get pendingKeys(): number {
    return this.#tails.size;
  }

  /** Runs `write` after the earlier ones of `key`; it must be safe to run twice. */
  add(key: string, what: string, write: () => Promise<void>): Promise<void> {
    const before = this.#tails.get(key) ?? Promise.resolve();
    const tail = before.then(() => this.#untilWritten(what, write));
    this.#tails.set(key, tail);
    return tail.finally(() => {
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
    });
  }

  /** When what was added of the key until now is written. */
  async whenWritten(key: string): Promise<void> {
    await this.#tails.get(key);
  }

  async whenIdle(): Promise<void> {
    while (this.#tails.size > 0) await Promise.all(this.#tails.values());
  }

  /** Gives up on what fails from now on; it is logged. */
  close(): void {
    this.#closed = true;
  }

  async #untilWritten(what: string, write: () => Promise<void>): Promise<void> {
    for (let delayMs = firstRetryMs; ; delayMs = Math.min(delayMs * 2, maxRetryMs)) {
      try {
        await write();
        return;
      } catch (error) {
        const givenUp = this.#closed || isRefusedWrite(error);
        this.#log.error({ error, what, givenUp }, 'the database did not take a write');
        if (givenUp) return;
        await sleep(this.#clock, delayMs);
      }
    }
  }
}
