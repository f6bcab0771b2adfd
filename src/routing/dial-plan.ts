import type { Clock } from '../clock.ts';
import { listDialPermissions } from '../database/dial-permissions.ts';
import type { Db, DialPermission, Trunk as TrunkRow } from '../database/schema.ts';
import { listTrunks } from '../database/trunks.ts';
import { HostAddresses } from './host-addresses.ts';
import { type Admission, admitInbound, hostsOf, type InboundSource } from './inbound.ts';
import { type OutboundRoute, routeOutbound } from './outbound.ts';
import { SharedRead } from './shared-read.ts';
import { type Trunk, trunkOf } from './trunk.ts';

export interface DialPlansOptions {
  db: Db;
  clock: Clock;
  /** `sip.allowCallsFrom`. */
  allowCallsFrom: readonly string[] | undefined;
  /** Whose national numbers are meant where nothing says so: ISO 3166-1 or a calling code. */
  country?: string | undefined;
}

interface AccountReads {
  trunks: SharedRead<TrunkRow[]>;
  permissions: SharedRead<DialPermission[]>;
}

/** The decisions of `inbound` and `outbound` on what the database says at that moment. */
export class DialPlans {
  readonly #options: DialPlansOptions;
  readonly #hosts: HostAddresses;
  readonly #reads = new Map<string, AccountReads>();

  constructor(options: DialPlansOptions) {
    this.#options = options;
    this.#hosts = new HostAddresses(options.clock);
  }

  get country(): string | undefined {
    return this.#options.country;
  }

  /** @throws CallreelError NUMBER_INVALID, OUTBOUND_FORBIDDEN, NO_TRUNK */
  async routeOutbound(accountId: string, target: string): Promise<OutboundRoute> {
    const [permissions, trunks] = await Promise.all([
      this.#readOf(accountId).permissions.get(),
      this.trunks(accountId),
    ]);
    return routeOutbound(target, { trunks, permissions, country: this.country });
  }

  /** @throws CallreelError INBOUND_FORBIDDEN */
  async admitInbound(accountId: string, source: InboundSource): Promise<Admission> {
    const { allowCallsFrom } = this.#options;
    const trunks = await this.trunks(accountId);
    const hosts = [...new Set(trunks.flatMap(hostsOf))];
    const addresses = new Map(
      await Promise.all(hosts.map(async (host) => [host, await this.#hosts.of(host)] as const)),
    );
    return admitInbound(source, {
      trunks,
      allowCallsFrom,
      addressesOf: (host) => addresses.get(host) ?? [],
    });
  }

  async trunks(accountId: string): Promise<Trunk[]> {
    return (await this.#readOf(accountId).trunks.get()).map(trunkOf);
  }

  #readOf(accountId: string): AccountReads {
    const { db } = this.#options;
    let reads = this.#reads.get(accountId);
    if (!reads) {
      reads = {
        trunks: new SharedRead(() => listTrunks(db, accountId)),
        permissions: new SharedRead(() => listDialPermissions(db, accountId)),
      };
      this.#reads.set(accountId, reads);
    }
    return reads;
  }
}
