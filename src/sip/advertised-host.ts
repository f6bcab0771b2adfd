import { isIP } from 'node:net';
import { isIpv6, Networks } from './ip-address.ts';
import { isAttached, localHost } from './local-host.ts';

/** One address we listen on, and the one that stands for it outside (1:1 NAT, a container's published port). */
export interface Reachable {
  readonly host: string;
  readonly advertisedHost?: string;
}

/** Which peers see our own address although another is advertised. */
export type IsLocal = (peerAddress: string) => boolean;

/** @param networks in CIDR notation; without them, the networks this machine has a foot in */
export function localPeers(networks: readonly string[] | undefined): IsLocal {
  if (networks === undefined) return isAttached;
  const known = new Networks(networks);
  return (peerAddress) => known.has(peerAddress);
}

/** What a peer is told to send to: in Via, Contact and session descriptions. */
export function advertisedHost(
  { host, advertisedHost: outside }: Reachable,
  peerAddress: string,
  isLocal: IsLocal,
): string {
  if (outside === undefined || isLocal(peerAddress)) return localHost(host, peerAddress);
  // An IPv4 address tells a peer on IPv6 nothing.
  const otherFamily =
    isIP(outside) !== 0 && isIP(peerAddress) !== 0 && isIpv6(outside) !== isIpv6(peerAddress);
  return otherFamily ? localHost(host, peerAddress) : outside;
}
