import { lookup, Resolver } from 'node:dns/promises';
import type { Clock } from '../clock.ts';

export interface NaptrRecord {
  readonly order: number;
  readonly preference: number;
  readonly flags: string;
  readonly service: string;
  readonly replacement: string;
}

export interface SrvRecord {
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  readonly name: string;
}

/** DNS as RFC 3263 needs it. A name without such records, and one nobody can be asked about, gives none. */
export interface NameResolver {
  naptr(name: string): Promise<readonly NaptrRecord[]>;
  srv(name: string): Promise<readonly SrvRecord[]>;
  addresses(name: string, family: 4 | 6): Promise<readonly string[]>;
}

interface Answer {
  readonly records: readonly unknown[];
  readonly ttlSeconds: number;
}

interface Kept {
  readonly answer: Promise<Answer>;
  /** Not known while the question is open. */
  untilUs: number;
}

const queryMs = 2_000;
const tries = 2;
const maxNames = 2_000;
const maxRecords = 32;
/** Node tells no time to live of SRV and NAPTR records. */
const recordSeconds = 60;
const minSeconds = 5;
const maxSeconds = 3_600;
/** No answer, or none of that kind. */
const emptySeconds = 10;

export interface DnsResolverOptions {
  clock: Clock;
  /** Addresses, with a port where it is not 53; those of the system when not given. */
  servers?: readonly string[];
}

/** Asks DNS servers and keeps their answers for their time to live. */
export class DnsResolver implements NameResolver {
  readonly #clock: Clock;
  readonly #resolver = new Resolver({ timeout: queryMs, tries });
  readonly #own: boolean;
  readonly #kept = new Map<string, Kept>();

  /** @throws Error for a server that is no address */
  constructor({ clock, servers }: DnsResolverOptions) {
    this.#clock = clock;
    this.#own = servers !== undefined;
    if (servers !== undefined) this.#resolver.setServers(servers);
  }

  get size(): number {
    return this.#kept.size;
  }

  async naptr(name: string): Promise<readonly NaptrRecord[]> {
    const ask = async () => ({ records: await this.#resolver.resolveNaptr(name), ttlSeconds: recordSeconds });
    return (await this.#keep(`NAPTR ${name}`, ask)) as NaptrRecord[];
  }

  async srv(name: string): Promise<readonly SrvRecord[]> {
    const ask = async () => ({ records: await this.#resolver.resolveSrv(name), ttlSeconds: recordSeconds });
    return (await this.#keep(`SRV ${name}`, ask)) as SrvRecord[];
  }

  async addresses(name: string, family: 4 | 6): Promise<readonly string[]> {
    return (await this.#keep(`${family} ${name}`, () => this.#askAddresses(name, family))) as string[];
  }

  async #askAddresses(name: string, family: 4 | 6): Promise<Answer> {
    try {
      const options = { ttl: true } as const;
      const records =
        family === 4
          ? await this.#resolver.resolve4(name, options)
          : await this.#resolver.resolve6(name, options);
      return {
        records: records.map(({ address }) => address),
        ttlSeconds: Math.min(...records.map(({ ttl }) => ttl)),
      };
    } catch (error) {
      if (this.#own) throw error;
      // Names that only the machine knows: /etc/hosts, mDNS.
      const found = await lookup(name, { family, all: true });
      return { records: found.map(({ address }) => address), ttlSeconds: emptySeconds };
    }
  }

  async #keep(key: string, ask: () => Promise<Answer>): Promise<readonly unknown[]> {
    const known = this.#kept.get(key);
    if (known !== undefined && known.untilUs > this.#clock.monotonicUs()) return (await known.answer).records;
    this.#kept.delete(key);
    if (this.#kept.size >= maxNames) {
      const [oldest = ''] = this.#kept.keys();
      this.#kept.delete(oldest);
    }
    const kept: Kept = { answer: settled(ask()), untilUs: Number.POSITIVE_INFINITY };
    this.#kept.set(key, kept);
    const { records, ttlSeconds } = await kept.answer;
    const seconds = Math.min(Math.max(ttlSeconds, minSeconds), maxSeconds);
    kept.untilUs = this.#clock.monotonicUs() + seconds * 1e6;
    return records;
  }
}

/** A failure is an answer too, and kept for a while: a server that is down is not asked for every call. */
async function settled(asking: Promise<Answer>): Promise<Answer> {
  try {
    const { records, ttlSeconds } = await asking;
    return { records: records.slice(0, maxRecords), ttlSeconds };
  } catch {
    return { records: [], ttlSeconds: emptySeconds };
  }
}
