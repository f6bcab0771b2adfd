import type { Endpoint, Flow } from './transport.ts';

/**
 * A flow to the first of several targets that are as good as each other (RFC 3263 section 4.3); it moves on to the next
 * where one fails, and whoever holds it goes along.
 */
export class RoutedFlow implements Flow {
  readonly #others: Endpoint[];
  readonly #open: (endpoint: Endpoint) => Flow | undefined;
  #current: Flow;

  constructor(first: Flow, others: readonly Endpoint[], open: (endpoint: Endpoint) => Flow | undefined) {
    this.#current = first;
    this.#others = [...others];
    this.#open = open;
  }

  get current(): Flow {
    return this.#current;
  }

  get hasNext(): boolean {
    return this.#others.length > 0;
  }

  /** @returns false when no target is left */
  moveOn(): boolean {
    for (let next = this.#others.shift(); next !== undefined; next = this.#others.shift()) {
      const flow = this.#open(next);
      if (flow === undefined) continue;
      this.#current = flow;
      return true;
    }
    return false;
  }

  /** The target has answered: it is the one. */
  settle(): void {
    this.#others.length = 0;
  }

  get transport(): Flow['transport'] {
    return this.#current.transport;
  }

  get reliable(): boolean {
    return this.#current.reliable;
  }

  get remote(): Endpoint {
    return this.#current.remote;
  }

  get local(): Flow['local'] {
    return this.#current.local;
  }

  get open(): boolean {
    return this.#current.open;
  }

  send(bytes: Uint8Array, failed?: (error: Error) => void): void {
    this.#current.send(bytes, failed);
  }
}
