import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { CallreelError } from '../errors.ts';
import { contactUserOf, parseGateway, type Trunk } from './trunk.ts';

/** Who may call in. */
export interface InboundPolicy {
  trunks: readonly Trunk[];
  /** Networks in CIDR notation that may call besides the trunks; undefined: anyone may. */
  allowCallsFrom: readonly string[] | undefined;
  /** What is known of the addresses behind a trunk's host names. */
  addressesOf?(host: string): readonly string[];
}

/** Where an INVITE came from and what it asked for. */
export interface InboundSource {
  address: string;
  /** User part of the Request-URI. */
  requestUser: string;
}

export interface Admission {
  /** The trunk it came by, where it is one's. */
  trunk: Trunk | undefined;
  /** The peer was named by the operator: its word about its callers counts. */
  trusted: boolean;
  /** The Request-URI is the Contact that the trunk registered: the called number stands elsewhere. */
  byContact: boolean;
}

/**
 * Decides by the address the INVITE came from, and by the Contact that a registering trunk was given: the trunk's id is
 * known to its registrar alone, a user part that an operator chose counts only from the trunk's addresses.
 * @throws CallreelError INBOUND_FORBIDDEN
 */
export function admitInbound({ address, requestUser }: InboundSource, policy: InboundPolicy): Admission {
  const { trunks, allowCallsFrom } = policy;
  const near = trunks.filter((trunk) => isWithin(address, networksOf(trunk, policy)));
  const called = (trunk: Trunk) => trunk.registers && contactUserOf(trunk) === requestUser;
  const contacted =
    near.find(called) ?? trunks.find((trunk) => called(trunk) && trunk.contactUser === undefined);
  const trunk = contacted ?? near[0];
  if (trunk)
    return {
      trunk,
      trusted: trunk.options.trustIdentity !== false,
      byContact: contacted !== undefined,
    };
  if (allowCallsFrom === undefined) return { trunk: undefined, trusted: false, byContact: false };
  if (isWithin(address, allowCallsFrom)) return { trunk: undefined, trusted: true, byContact: false };
  throw new CallreelError('INBOUND_FORBIDDEN', 'calls from this address are not taken', { where: address });
}

/** Every host that calls of the trunk may come from, where it names no networks. */
export function hostsOf({ gateways, registrar, outboundProxy, sourceNetworks }: Trunk): string[] {
  if (sourceNetworks.length > 0) return [];
  const others = [registrar === undefined ? undefined : parseGateway(registrar), outboundProxy];
  return [...gateways, ...others].flatMap((gateway) =>
    gateway === undefined ? [] : [gateway.host.replace(/^\[(.*)\]$/, '$1')],
  );
}

function networksOf(trunk: Trunk, { addressesOf = () => [] }: InboundPolicy): readonly string[] {
  if (trunk.sourceNetworks.length > 0) return trunk.sourceNetworks;
  return hostsOf(trunk)
    .flatMap((host) => (isIP(host) === 0 ? addressesOf(host) : [host]))
    .map((address) => `${address}/${isIP(address) === 4 ? 32 : 128}`);
}

function isWithin(address: string, networks: readonly string[]): boolean {
  if (!ipaddr.isValid(address)) return false;
  // An IPv4 peer of an IPv6 socket shows as ::ffff:a.b.c.d.
  const source = ipaddr.process(address);
  return networks.some((network) => {
    if (!ipaddr.isValidCIDR(network)) return false;
    const [base, bits] = ipaddr.parseCIDR(network);
    return base.kind() === source.kind() && source.match(base, bits);
  });
}
