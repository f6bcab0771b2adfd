import ipaddr from 'ipaddr.js';

type Address = ReturnType<typeof ipaddr.parse>;
type Network = [Address, number];

const wildcards = new Set(['0.0.0.0', '::', '']);

/** Listened on it means every address of this machine. */
export function isWildcard(host: string): boolean {
  return wildcards.has(host);
}

/** An IPv4 address as a dual-stack socket reports it (`::ffff:192.0.2.1`) in its own notation. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

export function isIpv6(address: string): boolean {
  return address.includes(':');
}

export function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1' || address === 'localhost';
}

/**
 * A set of networks in CIDR notation, asked for every packet: answers are by arithmetic. Only the latest is kept, as most
 * packets come from where the one before came from.
 */
export class Networks {
  readonly #networks: readonly Network[];
  #asked = '';
  #answer = false;

  /** @throws Error for a text that is no network */
  constructor(networks: readonly string[]) {
    this.#networks = networks.map((text) => ipaddr.parseCIDR(text) as Network);
  }

  has(address: string): boolean {
    if (this.#networks.length === 0) return false;
    if (address !== this.#asked) {
      this.#answer = this.#contains(address);
      this.#asked = address;
    }
    return this.#answer;
  }

  #contains(address: string): boolean {
    if (!ipaddr.isValid(address)) return false;
    const parsed = ipaddr.process(address);
    return this.#networks.some((network) => contains(network, parsed));
  }
}

/** Whether both are of one family and the network holds the address. */
export function contains([network, bits]: Network, address: Address): boolean {
  return network.kind() === address.kind() && address.match(network, bits);
}

/** RFC 1918, RFC 6598, loopback, link-local and unique local addresses: networks somebody here runs. */
export const privateNetworks = new Networks([
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '::1/128',
  'fc00::/7',
  'fe80::/10',
]);
