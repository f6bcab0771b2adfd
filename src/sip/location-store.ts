import type { Endpoint } from './transport.ts';

/** One place where an address of record can be reached. */
export interface Binding {
  /** Contact URI. */
  readonly contact: string;
  /** Where the REGISTER came from: requests go there, whatever the Contact says. */
  readonly source: Endpoint;
  readonly expiresUnixMs: number;
  readonly registeredUnixMs: number;
  /** Preference, 0 to 1. */
  readonly q: number;
  /** Values of Path, first hop first (RFC 3327): requests to the contact take that way. */
  readonly path: readonly string[];
  /** `+sip.instance` and `reg-id` (RFC 5626): the same flow of the same phone, whatever its contact is by now. */
  readonly flowId: string | undefined;
  readonly callId: string;
  readonly sequence: number;
}

export interface LocationStore {
  find(aor: string): Promise<Binding[]>;
  /**
   * Replaces the bindings of an address by what `change` makes of them, as one step. What `change` throws is thrown
   * on and changes nothing.
   */
  update(
    aor: string,
    change: (stored: readonly Binding[]) => readonly Binding[],
  ): Promise<readonly Binding[]>;
}

/** Keeps bindings in memory: for one node, gone with the process. */
export class MemoryLocationStore implements LocationStore {
  readonly #bindings = new Map<string, readonly Binding[]>();
  readonly #maxAddresses: number;

  constructor({ maxAddresses = 50_000 } = {}) {
    this.#maxAddresses = maxAddresses;
  }

  get size(): number {
    return this.#bindings.size;
  }

  async find(aor: string): Promise<Binding[]> {
    return [...(this.#bindings.get(aor) ?? [])];
  }

  async update(
    aor: string,
    change: (stored: readonly Binding[]) => readonly Binding[],
  ): Promise<readonly Binding[]> {
    const next = change(this.#bindings.get(aor) ?? []);
    this.#bindings.delete(aor);
    if (next.length === 0) return next;
    // The address that registered longest ago makes room; it is the likeliest to have expired.
    if (this.#bindings.size >= this.#maxAddresses) {
      const [oldest] = this.#bindings.keys();
      if (oldest !== undefined) this.#bindings.delete(oldest);
    }
    this.#bindings.set(aor, next);
    return next;
  }
}
