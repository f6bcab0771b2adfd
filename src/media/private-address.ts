import { BlockList, isIPv6 } from 'node:net';

/** Addresses that mean nothing outside their own network: RFC 1918, 6598, 3927, 4193, 4291 and loopback. */
const privateRanges = new BlockList();
for (const [network, prefix] of [
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['100.64.0.0', 10],
  ['169.254.0.0', 16],
  ['127.0.0.0', 8],
] as const)
  privateRanges.addSubnet(network, prefix, 'ipv4');
for (const [network, prefix] of [
  ['fc00::', 7],
  ['fe80::', 10],
  ['::1', 128],
] as const)
  privateRanges.addSubnet(network, prefix, 'ipv6');

/** Whether a source elsewhere can not be told by this address, because a NAT stands between. */
export function isPrivateAddress(address: string): boolean {
  return privateRanges.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}
