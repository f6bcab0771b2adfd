import { readFileSync } from 'node:fs';
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';
import ipaddr from 'ipaddr.js';
import { type Clock, systemClock } from '../clock.ts';
import { contains, isIpv6, isLoopback, isWildcard } from './ip-address.ts';

/** What the machine says about its networks. */
export interface NetworkState {
  readonly interfaces: Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;
  /** `/proc/net/route` and `/proc/net/ipv6_route`; empty where there are none. */
  readonly routes4: string;
  readonly routes6: string;
}

interface Route {
  readonly network: [ReturnType<typeof ipaddr.parse>, number];
  readonly device: string;
  readonly metric: number;
}

const refreshUs = 10_000_000;
const maxRemembered = 10_000;

/** Which address of ours a peer is reached from, by the routes of this machine. */
export class LocalAddresses {
  readonly #read: () => NetworkState;
  readonly #clock: Clock;
  #interfaces: NetworkState['interfaces'] = {};
  #attached: Route[] = [];
  #routes: Route[] = [];
  #readUs = Number.NEGATIVE_INFINITY;
  readonly #sources = new Map<string, string>();

  constructor(read: () => NetworkState = readSystem, clock: Clock = systemClock) {
    this.#read = read;
    this.#clock = clock;
  }

  /** @param peer address; the text `::` or nothing asks for the address the world is reached from */
  sourceFor(peer: string): string {
    if (isLoopback(peer)) return isIpv6(peer) ? '::1' : '127.0.0.1';
    this.#refresh();
    let source = this.#sources.get(peer);
    if (source === undefined) {
      source = this.#find(peer);
      if (this.#sources.size >= maxRemembered) this.#sources.clear();
      this.#sources.set(peer, source);
    }
    return source;
  }

  /** Whether a peer is this machine or in a network it has a foot in. */
  isAttached(peer: string): boolean {
    if (isLoopback(peer)) return true;
    if (!ipaddr.isValid(peer)) return false;
    this.#refresh();
    const address = ipaddr.process(peer);
    return this.#attached.some(({ network }) => contains(network, address));
  }

  #find(peer: string): string {
    const family = isIpv6(peer) ? 'IPv6' : 'IPv4';
    const address = ipaddr.isValid(peer) ? ipaddr.process(peer) : ipaddr.parse('192.0.2.1');
    const fitting = [...this.#attached, ...this.#routes]
      .filter(({ network }) => contains(network, address))
      .sort((a, b) => b.network[1] - a.network[1] || a.metric - b.metric);
    for (const { device } of fitting) {
      const found = addressOf(this.#interfaces[device] ?? [], family);
      if (found !== undefined) return found;
    }
    const all = Object.values(this.#interfaces).flatMap((list) => list ?? []);
    return addressOf(all, family) ?? (family === 'IPv4' ? '127.0.0.1' : '::1');
  }

  #refresh(): void {
    const nowUs = this.#clock.monotonicUs();
    if (nowUs - this.#readUs < refreshUs) return;
    this.#readUs = nowUs;
    this.#sources.clear();
    const { interfaces, routes4, routes6 } = this.#read();
    this.#interfaces = interfaces;
    this.#attached = Object.entries(interfaces).flatMap(([device, list = []]) =>
      list.flatMap(({ cidr }) =>
        cidr === null
          ? []
          : [
              {
                network: ipaddr.parseCIDR(cidr.replace(/%[^/]*/, '')) as Route['network'],
                device,
                metric: 0,
              },
            ],
      ),
    );
    this.#routes = [...parseRoutes4(routes4), ...parseRoutes6(routes6)];
  }
}

/** Of what an interface has, one that peers can answer to. */
function addressOf(list: readonly NetworkInterfaceInfo[], family: 'IPv4' | 'IPv6'): string | undefined {
  return list.find((entry) => entry.family === family && !entry.internal && !entry.address.startsWith('fe80'))
    ?.address;
}

/** Columns: interface, destination, gateway, flags, references, use, metric, mask; addresses as little-endian hex. */
function parseRoutes4(text: string): Route[] {
  return text.split('\n').flatMap((line) => {
    const [device = '', destination = '', , , , , metric = '0', mask = ''] = line.trim().split(/\s+/);
    if (!/^[0-9A-F]{8}$/i.test(destination) || !/^[0-9A-F]{8}$/i.test(mask)) return [];
    const bits = Number.parseInt(mask, 16).toString(2).replaceAll('0', '').length;
    const octets = [6, 4, 2, 0].map((at) => Number.parseInt(destination.slice(at, at + 2), 16));
    return [{ network: [ipaddr.parse(octets.join('.')), bits], device, metric: Number(metric) }];
  });
}

/** Columns: destination, its length, source, its length, next hop, metric, references, use, flags, interface. */
function parseRoutes6(text: string): Route[] {
  return text.split('\n').flatMap((line) => {
    const [destination = '', bits = '', , , , metric = '0', , , , device = ''] = line.trim().split(/\s+/);
    if (!/^[0-9a-f]{32}$/i.test(destination) || device === 'lo') return [];
    const address = destination.replace(/(....)(?=.)/g, '$1:');
    return [
      {
        network: [ipaddr.parse(address), Number.parseInt(bits, 16)],
        device,
        metric: Number.parseInt(metric, 16),
      },
    ];
  });
}

function readSystem(): NetworkState {
  return {
    interfaces: networkInterfaces(),
    routes4: readIfThere('/proc/net/route'),
    routes6: readIfThere('/proc/net/ipv6_route'),
  };
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

const ours = new LocalAddresses();

/** The address of ours that a peer can answer to, when we listen on `boundHost`. */
export function localHost(boundHost: string, peerAddress: string): string {
  if (isWildcard(boundHost)) return ours.sourceFor(peerAddress);
  return boundHost === 'localhost' ? '127.0.0.1' : boundHost;
}

/** Whether a peer is this machine or in a network it has a foot in. */
export function isAttached(peerAddress: string): boolean {
  return ours.isAttached(peerAddress);
}
