import { type LookupAddress, lookup as systemLookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';
import { CallreelError } from '../errors.ts';

/** Name to addresses, as `dns.lookup` with `all`. */
export type Resolver = (
  hostname: string,
  options: { all: true; family?: number; hints?: number },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/** IANA's special-purpose registries (RFC 6890 and successors), and Azure's host address, which is a public one. */
const refusedV4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '168.63.129.16/32',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
];

/** Only 2000::/3 is given out to the public, and these parts of it are not: Teredo, documentation, 6to4. */
const publicV6 = '2000::/3';
const refusedV6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'];

export const loopbackNetworks = ['127.0.0.0/8', '::1/128'];

/**
 * Keeps URLs given by users away from the networks only we can reach: private, loopback, link-local and metadata
 * addresses, unless the operator allows their network. The address that was checked is the one connected to, so a
 * name that changes its answer (DNS rebinding) gains nothing.
 */
export class AddressGuard {
  readonly #allowed: BlockList;
  readonly #refused = blockList([...refusedV4, ...refusedV6]);
  readonly #public = blockList([publicV6]);
  readonly #resolve: Resolver;

  /**
   * @param allow networks in CIDR notation
   * @throws TypeError when one is not
   */
  constructor(allow: readonly string[], resolve: Resolver = systemLookup) {
    this.#allowed = blockList(allow);
    this.#resolve = resolve;
  }

  allows(address: string): boolean {
    const plain = unmapped(address);
    const family = isIP(plain) === 6 ? 'ipv6' : 'ipv4';
    if (isIP(plain) === 0) return false;
    if (this.#allowed.check(plain, family)) return true;
    if (family === 'ipv6' && !this.#public.check(plain, family)) return false;
    return !this.#refused.check(plain, family);
  }

  /**
   * Checks a host that is an address; names are checked when they are resolved.
   * @param hostname as in `URL`, IPv6 in brackets
   * @throws CallreelError CALLBACK_FORBIDDEN
   */
  checkHost(hostname: string): void {
    const host = hostname.replace(/^\[|\]$/g, '');
    if (isIP(host) !== 0 && !this.allows(host)) throw forbidden(host, [host]);
  }

  /** For `net.connect`: resolves a name to its permitted addresses, or fails with CALLBACK_FORBIDDEN. */
  readonly lookup: LookupFunction = (hostname, options, callback) => {
    const family = options.family === 'IPv4' ? 4 : options.family === 'IPv6' ? 6 : (options.family ?? 0);
    this.#resolve(hostname, { all: true, family, hints: options.hints ?? 0 }, (error, addresses) => {
      if (error) {
        callback(error, []);
        return;
      }
      const permitted = addresses.filter(({ address }) => this.allows(address));
      const first = permitted[0];
      if (!first) {
        const found = addresses.map(({ address }) => address);
        callback(forbidden(hostname, found), []);
      } else if (options.all) callback(null, permitted);
      else callback(null, first.address, first.family);
    });
  };
}

/** @throws TypeError */
function parseNetwork(cidr: string): { address: string; prefix: number; family: 'ipv4' | 'ipv6' } {
  // ipaddr.js alone would also take short forms such as 10/8.
  if (!ipaddr.isValidCIDR(cidr) || isIP(cidr.replace(/\/.*$/, '')) === 0)
    throw new TypeError(`not a network in CIDR notation: ${cidr}`);
  const [address, prefix] = ipaddr.parseCIDR(cidr);
  return { address: address.toString(), prefix, family: address.kind() };
}

function blockList(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const { address, prefix, family } = parseNetwork(network);
    list.addSubnet(address, prefix, family);
  }
  return list;
}

/** `::ffff:10.0.0.1` and the NAT64 prefix lead to the IPv4 address inside them. */
function unmapped(address: string): string {
  if (isIP(address) !== 6) return address;
  const parsed = ipaddr.IPv6.parse(address);
  if (parsed.isIPv4MappedAddress()) return parsed.toIPv4Address().toString();
  if (parsed.range() === 'rfc6052') return new ipaddr.IPv4(parsed.toByteArray().slice(12)).toString();
  return address.replace(/%.*$/, '');
}

function forbidden(host: string, addresses: string[]): CallreelError {
  const found = addresses.length === 1 && addresses[0] === host ? host : `${host} (${addresses.join(', ')})`;
  return new CallreelError('CALLBACK_FORBIDDEN', `${found} is not a public address`, { where: host });
}
