import { inspect } from 'node:util';

/** What stands in the place of a secret. */
export const redacted = '[redacted]';

/**
 * A value that must never reach a log, an error or a response. Every way of printing it gives `[redacted]`;
 * only `reveal()` gives the value, and each call of it is a line that a reviewer can find.
 */
export class Secret<T = string> {
  readonly #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  reveal(): T {
    return this.#value;
  }

  toString(): string {
    return redacted;
  }

  toJSON(): string {
    return redacted;
  }

  [inspect.custom](): string {
    return redacted;
  }
}
