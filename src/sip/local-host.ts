import { networkInterfaces } from 'node:os';

const wildcards = new Set(['0.0.0.0', '::', '']);

/** The address of ours that a peer can answer to, when we listen on `boundHost`. */
export function localHost(boundHost: string, peerAddress: string): string {
  if (!wildcards.has(boundHost)) return boundHost === 'localhost' ? '127.0.0.1' : boundHost;
  if (peerAddress.startsWith('127.')) return '127.0.0.1';
  if (peerAddress === '::1') return '::1';
  return firstPublicAddress(peerAddress.includes(':') ? 'IPv6' : 'IPv4');
}

const found = new Map<string, string>();

/** Interfaces are read once: an operator with several networks sets the advertised host. */
function firstPublicAddress(family: 'IPv4' | 'IPv6'): string {
  let address = found.get(family);
  if (address === undefined) {
    const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
    const match = all.find(
      (entry) => entry.family === family && !entry.internal && !entry.address.startsWith('fe80'),
    );
    address = match?.address ?? (family === 'IPv4' ? '127.0.0.1' : '::1');
    found.set(family, address);
  }
  return address;
}
