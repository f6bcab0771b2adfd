import type { CallTarget, ResolvedTarget } from './call/connector.ts';
import type { DialTarget } from './call/dialer.ts';
import type { Leg } from './call/leg.ts';
import { CallreelError } from './errors.ts';
import type { DialPlans } from './routing/dial-plan.ts';
import { type Caller, directFrom, trunkIdentity } from './routing/outgoing-identity.ts';
import { type Trunk, trunkCredentials, trunkUri } from './routing/trunk.ts';
import type { SrtpPolicy } from './sdp/srtp-parameters.ts';
import type { Binding } from './sip/location-store.ts';
import type { Registrar } from './sip/registrar.ts';
import type { SipAddress } from './sip/session.ts';
import { decodeUser, parseSipUri, type SipUri } from './sip/uri.ts';
import type { MasterKey } from './spool/keys.ts';
import { trunkWay } from './trunk-signalling.ts';

export interface OutboundOptions {
  dialPlans: DialPlans;
  registrar: Registrar;
  masterKey: MasterKey;
  /** Host in the addresses of registered users, and in ours. */
  host(): string;
  /** Where we listen for SIP. */
  sipPorts(): readonly number[];
  /** `rtp.srtp` */
  srtp: SrtpPolicy;
}

/** Brings routing and signalling together: where a target is, and by which ways it is reached. */
export class Outbound {
  readonly #options: OutboundOptions;

  constructor(options: OutboundOptions) {
    this.#options = options;
  }

  /**
   * For a party.
   * @param from what the called party is to see, in place of who calls
   * @throws CallreelError OUTBOUND_FORBIDDEN, NO_TRUNK, NUMBER_INVALID, NOT_FOUND
   */
  resolve(leg: Leg, target: CallTarget, from?: string): Promise<ResolvedTarget> {
    const calling = from === undefined ? callingOf(leg) : callingAs(leg.connection.accountId, from);
    switch (target.kind) {
      case 'phone':
        return this.#phone(calling, target.number);
      case 'client':
        return this.#client(calling, target.name);
      case 'address':
        return this.#address(leg, target.address);
    }
  }

  /** For nobody who calls. @throws CallreelError as `resolve` */
  async resolveFor(accountId: string, from: string, target: CallTarget): Promise<ResolvedTarget> {
    const calling = callingAs(accountId, from);
    if (target.kind === 'phone') return await this.#phone(calling, target.number);
    if (target.kind === 'client') return await this.#client(calling, target.name);
    throw new TypeError('only a party names an address');
  }

  /** A user or a number at this server, as the party knows it; a number at its own side; or anywhere. */
  async #address(leg: Leg, { uri, user }: SipAddress): Promise<ResolvedTarget> {
    const parsed = parseSipUri(uri);
    const calling = callingOf(leg);
    if (parsed === undefined) return this.#phone(calling, /^tel:/i.test(uri) ? user : uri);
    if (this.#isOurs(leg, parsed)) {
      if ((await this.#bindings(user)).length > 0 || !/^\+?\d+$/.test(user))
        return this.#client(calling, user);
      return this.#phone(calling, user);
    }
    const { session } = leg;
    const theirs = session.direction === 'incoming' ? session.from.host : session.to.host;
    const byNumber = /^\+\d+$/.test(user) && (parsed.host === theirs || parsed.host === session.peer.address);
    return this.#phone(calling, byNumber && parsed.port === undefined ? user : uri);
  }

  #isOurs({ session }: Leg, { host, port }: SipUri): boolean {
    const asCalled = session.direction === 'incoming' ? session.to.host : session.from.host;
    const { sipPorts } = this.#options;
    return (
      [this.#options.host(), asCalled].includes(host) && (port === undefined || sipPorts().includes(port))
    );
  }

  /** A redirection may lead where a call of the account might have gone in the first place. */
  async #consents(accountId: string, uri: string, trunk: SipUri | undefined): Promise<boolean> {
    const parsed = parseSipUri(uri);
    const user = decodeUser(parsed?.user ?? '');
    const sameTrunk = parsed !== undefined && parsed.host === trunk?.host && /^\+?\d+$/.test(user);
    try {
      await this.#options.dialPlans.routeOutbound(accountId, sameTrunk ? user : uri);
      return true;
    } catch (error) {
      if (error instanceof CallreelError && error.blame !== 'ours') return false;
      throw error;
    }
  }

  #redirectable(accountId: string, way: DialTarget): DialTarget {
    const trunk = way.trunkId === undefined ? undefined : parseSipUri(way.requestUri);
    return { ...way, redirect: (uri) => this.#consents(accountId, uri, trunk) };
  }

  #bindings(name: string): Promise<Binding[]> {
    const { registrar, host } = this.#options;
    return registrar.lookup(`sip:${encodeURIComponent(name)}@${host()}`);
  }

  async #phone({ accountId, from }: Calling, number: string): Promise<ResolvedTarget> {
    const { dialPlans, host } = this.#options;
    const route = await dialPlans.routeOutbound(accountId, number);
    const caller: Caller = { party: from };
    if (route.kind === 'sip-uri') {
      const direct = { requestUri: route.uri, from: directFrom(caller, host()) };
      const way = this.#redirectable(accountId, direct);
      return { to: route.uri, from, ways: [way], order: 'in-order' };
    }
    const ways = route.trunks
      .flatMap((trunk) => this.#byTrunk(trunk, route.number, caller))
      .map((way) => this.#redirectable(accountId, way));
    return { to: route.number, from, ways, order: 'in-order' };
  }

  #byTrunk(trunk: Trunk, number: string, caller: Caller): DialTarget[] {
    const { masterKey } = this.#options;
    const way = {
      ...trunkWay(trunk),
      ...trunkIdentity(trunk, caller),
      credentials: trunkCredentials(trunk, masterKey),
      trunkId: trunk.trunkId,
      codecs: trunk.options.codecs,
      srtp: this.#srtpOf(trunk),
    };
    return trunk.gateways.map((gateway) => ({ ...way, requestUri: trunkUri(trunk, number, gateway) }));
  }

  /** Keys in the clear protect nothing: without a word of the operator SRTP is offered over TLS alone. */
  #srtpOf({ transport, options }: Trunk): SrtpPolicy | undefined {
    if (options.srtp !== undefined) return options.srtp;
    return transport === 'tls' && this.#options.srtp !== 'off' ? this.#options.srtp : undefined;
  }

  async #client({ accountId, from: shownFrom, caller }: Calling, name: string): Promise<ResolvedTarget> {
    const { host } = this.#options;
    const bindings = await this.#bindings(name);
    if (bindings.length === 0)
      throw new CallreelError('NOT_FOUND', 'no client of this name is registered', { where: name });
    const from = directFrom(caller, host());
    return {
      to: `sip:${name}`,
      from: shownFrom,
      ways: bindings.map((binding) => this.#redirectable(accountId, { ...bindingWay(binding), from })),
      order: 'at-once',
    };
  }
}

/** What is said of who calls. */
interface Calling {
  accountId: string;
  /** On the connection of the called party, and to a phone as the number to call back. */
  from: string;
  /** To a client of ours. */
  caller: Caller;
}

/**
 * A called party sees the number that was called to get here: it can be called back. On its connection, the caller's
 * number would make two channels that say they are from the caller.
 */
function callingOf({ connection }: Leg): Calling {
  const { accountId, from, to, sipIdentity } = connection;
  return { accountId, from: to, caller: { party: from, displayName: sipIdentity?.from?.displayName } };
}

function callingAs(accountId: string, from: string): Calling {
  return { accountId, from, caller: { party: from } };
}

/** Every phone of a user rings; a binding is reached by where its REGISTER came from. */
function bindingWay({ contact, source, path }: Binding): Omit<DialTarget, 'from'> {
  return { requestUri: contact, nextHop: source, transport: source.transport, route: path };
}
