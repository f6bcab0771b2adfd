import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { CallreelError } from '../errors.ts';
import type { Trunk } from './trunk.ts';

/** Who may call in. */
export interface InboundPolicy {
  trunks: readonly Trunk[];
  /** Networks in CIDR notation that may call besides the trunks; undefined: anyone may. */
  allowCallsFrom: readonly string[] | undefined;
}

/**
 * Decides by the address the INVITE came from.
 * @returns the trunk it came by, where it is one's
 * @throws CallreelError INBOUND_FORBIDDEN
 */
export function admitInbound(sourceAddress: string, policy: InboundPolicy): Trunk | undefined {
  const trunk = policy.trunks.find((candidate) => isWithin(sourceAddress, networksOf(candidate)));
  if (trunk || policy.allowCallsFrom === undefined) return trunk;
  if (isWithin(sourceAddress, policy.allowCallsFrom)) return undefined;
  throw new CallreelError('INBOUND_FORBIDDEN', 'calls from this address are not taken', {
    where: sourceAddress,
  });
}

/** A trunk that names no networks calls from its host, where that is an address. */
function networksOf({ sourceNetworks, host }: Trunk): readonly string[] {
  if (sourceNetworks.length > 0) return sourceNetworks;
  const address = host.replace(/^\[(.*)\]$/, '$1');
  const version = isIP(address);
  return version === 0 ? [] : [`${address}/${version === 4 ? 32 : 128}`];
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
