import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Clock } from '../clock.ts';

/** @throws whatever the resolver says */
export type HostLookup = (host: string) => Promise<readonly string[]>;

const freshMs = 60_000;
/** A name that cannot be resolved is asked for again sooner. */
const failureMs = 15_000;
const lookupLimitMs = 2_000;
const maxHosts = 1000;

interface Known {
  addresses: readonly string[];
  untilUnixMs: number;
}

/** The addresses behind host names, kept for a minute; an old answer serves until a new one is there. */
export class HostAddresses {
  readonly #clock: Clock;
  readonly #lookup: HostLookup;
  readonly #known = new Map<string, Known>();
  readonly #asking = new Map<string, Promise<readonly string[]>>();

  constructor(clock: Clock, hostLookup: HostLookup = systemLookup) {
    this.#clock = clock;
    this.#lookup = hostLookup;
  }

  /** Never rejects: a name without an address has none. */
  async of(host: string): Promise<readonly string[]> {
    if (isIP(host) !== 0) return [host];
    const known = this.#known.get(host);
    if (known && known.untilUnixMs > this.#clock.unixMs()) return known.addresses;
    const asking = this.#asking.get(host) ?? this.#ask(host);
    return known ? known.addresses : await asking;
  }

  #ask(host: string): Promise<readonly string[]> {
    const { promise: late, resolve } = Promise.withResolvers<readonly string[]>();
    const timer = this.#clock.after(lookupLimitMs, () => resolve([]));
    const before = this.#known.get(host)?.addresses ?? [];
    const asking = Promise.race([this.#lookup(host).catch(() => before), late]).then((addresses) => {
      timer.cancel();
      this.#asking.delete(host);
      const keepMs = addresses.length > 0 ? freshMs : failureMs;
      if (this.#known.size >= maxHosts) this.#known.clear();
      this.#known.set(host, { addresses, untilUnixMs: this.#clock.unixMs() + keepMs });
      return addresses;
    });
    this.#asking.set(host, asking);
    return asking;
  }
}

async function systemLookup(host: string): Promise<readonly string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address);
}
