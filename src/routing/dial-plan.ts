import { listDialPermissions } from '../database/dial-permissions.ts';
import type { Db } from '../database/schema.ts';
import { listTrunks } from '../database/trunks.ts';
import { admitInbound } from './inbound.ts';
import { type OutboundRoute, routeOutbound } from './outbound.ts';
import { type Trunk, trunkOf } from './trunk.ts';

export interface DialPlansOptions {
  db: Db;
  /** `sip.allowCallsFrom`. */
  allowCallsFrom: readonly string[] | undefined;
}

/** The decisions of `inbound` and `outbound` on what the database says at that moment. */
export class DialPlans {
  readonly #options: DialPlansOptions;

  constructor(options: DialPlansOptions) {
    this.#options = options;
  }

  /** @throws CallreelError NUMBER_INVALID, OUTBOUND_FORBIDDEN, NO_TRUNK */
  async routeOutbound(accountId: string, target: string): Promise<OutboundRoute> {
    const permissions = await listDialPermissions(this.#options.db, accountId);
    return routeOutbound(target, { trunks: await this.#trunks(accountId), permissions });
  }

  /** @throws CallreelError INBOUND_FORBIDDEN */
  async admitInbound(accountId: string, sourceAddress: string): Promise<Trunk | undefined> {
    const { allowCallsFrom } = this.#options;
    return admitInbound(sourceAddress, { trunks: await this.#trunks(accountId), allowCallsFrom });
  }

  async #trunks(accountId: string): Promise<Trunk[]> {
    return (await listTrunks(this.#options.db, accountId)).map(trunkOf);
  }
}
