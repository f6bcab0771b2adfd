import type { CallTarget, ResolvedTarget } from './call/connector.ts';
import type { Leg } from './call/leg.ts';
import { CallreelError } from './errors.ts';
import type { DialPlans } from './routing/dial-plan.ts';
import { type Trunk, trunkCredentials, trunkUri } from './routing/trunk.ts';
import type { Registrar } from './sip/registrar.ts';
import type { MasterKey } from './spool/keys.ts';

export interface OutboundOptions {
  dialPlans: DialPlans;
  registrar: Registrar;
  masterKey: MasterKey;
  /** Host in the addresses of registered users, and in ours. */
  host(): string;
}

/** Brings routing and signalling together: where a target is, and by which ways it is reached. */
export class Outbound {
  readonly #options: OutboundOptions;

  constructor(options: OutboundOptions) {
    this.#options = options;
  }

  /** @throws CallreelError OUTBOUND_FORBIDDEN, NO_TRUNK, NUMBER_INVALID, NOT_FOUND */
  resolve(leg: Leg, target: CallTarget): Promise<ResolvedTarget> {
    return target.kind === 'phone' ? this.#phone(leg, target.number) : this.#client(leg, target.name);
  }

  async #phone({ connection }: Leg, number: string): Promise<ResolvedTarget> {
    const { dialPlans, host } = this.#options;
    const route = await dialPlans.routeOutbound(connection.accountId, number);
    // The called party sees the number that was called to get here: it can be called back.
    const from = connection.to;
    if (route.kind === 'sip-uri')
      return { to: route.uri, from, ways: [{ requestUri: route.uri, from: this.#callerUri(from, host()) }] };
    const ways = route.trunks.map((trunk) => this.#byTrunk(trunk, route.number, from));
    return { to: route.number, from, ways };
  }

  #byTrunk(trunk: Trunk, number: string, from: string) {
    const { masterKey } = this.#options;
    return {
      requestUri: trunkUri(trunk, number),
      transport: trunk.transport,
      credentials: trunkCredentials(trunk, masterKey),
      from: this.#callerUri(trunk.fromNumber ?? from, trunk.host),
    };
  }

  async #client({ connection }: Leg, name: string): Promise<ResolvedTarget> {
    const { registrar, host } = this.#options;
    const bindings = await registrar.lookup(`sip:${encodeURIComponent(name)}@${host()}`);
    if (bindings.length === 0)
      throw new CallreelError('NOT_FOUND', 'no client of this name is registered', { where: name });
    return {
      to: `sip:${name}`,
      // As for a phone; the caller's number here would make two channels that say they are from the caller.
      from: connection.to,
      ways: bindings.map(({ contact, source }) => ({
        requestUri: contact,
        nextHop: source,
        transport: source.transport,
        from: this.#callerUri(connection.from, host()),
      })),
    };
  }

  #callerUri(party: string, host: string): string {
    return /^sips?:/i.test(party) ? `<${party}>` : `<sip:${party}@${host}>`;
  }
}
