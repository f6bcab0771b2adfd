import { isIP } from 'node:net';
import { CallreelError } from '../errors.ts';
import { isIpv6 } from './ip-address.ts';
import type { NameResolver, SrvRecord } from './name-resolver.ts';
import { type Endpoint, type TransportName, transportNames } from './transport.ts';
import { parseSipUri, type SipUri } from './uri.ts';
import { defaultPort } from './via.ts';

const maxTargets = 16;
const maxSrvNames = 4;

const serviceNames: Readonly<Record<TransportName, string>> = {
  udp: '_sip._udp',
  tcp: '_sip._tcp',
  tls: '_sips._tcp',
};

/** RFC 3263 section 4.1: services of NAPTR records. */
const naptrServices: Readonly<Record<string, TransportName>> = {
  'sip+d2u': 'udp',
  'sip+d2t': 'tcp',
  'sips+d2t': 'tls',
};

/** Where a URI's request goes, as far as the URI itself says it. */
interface Wanted {
  readonly host: string;
  readonly port: number | undefined;
  readonly transport: TransportName | undefined;
  /** A `sips:` URI is never asked for without TLS. */
  readonly secure: boolean;
}

/** Where a numeric URI points; undefined for names, foreign schemes and transports we do not speak. */
export function numericEndpoint(uri: string, transport?: TransportName): Endpoint | undefined {
  const parsed = parseSipUri(uri);
  const wanted = parsed && wantedOf(parsed, transport);
  return wanted && isIP(wanted.host) !== 0 ? endpointOf(wanted, wanted.host) : undefined;
}

export interface LocatorOptions {
  resolver: NameResolver;
  /** Whether we have a socket for that. */
  reaches(transport: TransportName, family: 4 | 6): boolean;
  /** 0 to 1, for the weights of SRV records. */
  random(): number;
}

/** Finds where a request goes (RFC 3263 section 4). */
export class Locator {
  readonly #options: LocatorOptions;

  constructor(options: LocatorOptions) {
    this.#options = options;
  }

  /**
   * Targets in the order to try them, at most 16; IPv4 before IPv6 of one host, as it is the one that works where one
   * of them does not.
   * @throws CallreelError REQUEST_INVALID, SIP_HOST_UNKNOWN, SIP_UNREACHABLE when we speak no transport of theirs
   */
  async locate(uri: string, transport?: TransportName): Promise<Endpoint[]> {
    const parsed = parseSipUri(uri);
    const wanted = parsed && wantedOf(parsed, transport);
    if (wanted === undefined)
      throw new CallreelError('REQUEST_INVALID', 'not a SIP URI of a transport we speak', { where: uri });
    const { host } = wanted;
    const found =
      isIP(host) !== 0
        ? [endpointOf(wanted, host)]
        : (await this.#byName(wanted)).map((endpoint) => named(endpoint, host));
    if (found.length === 0)
      throw new CallreelError('SIP_HOST_UNKNOWN', 'the host of the SIP URI has no address', { where: host });
    const reachable = found.filter(({ transport: by, address }) =>
      this.#options.reaches(by, isIpv6(address) ? 6 : 4),
    );
    if (reachable.length > 0) return reachable.slice(0, maxTargets);
    const { transport: by = 'udp', address = '' } = found[0] ?? {};
    throw new CallreelError('SIP_UNREACHABLE', `no SIP socket of ours reaches ${address} by ${by}`, {
      where: uri,
    });
  }

  async #byName(wanted: Wanted): Promise<Endpoint[]> {
    if (wanted.port !== undefined) return this.#byAddress(wanted, wanted.host, wanted.port);
    const services =
      wanted.transport === undefined
        ? await this.#services(wanted)
        : [serviceOf(wanted.transport, wanted.host)];
    const found = await Promise.all(
      services.slice(0, maxSrvNames).map((service) => this.#bySrv(wanted, service)),
    );
    const targets = found.flat();
    return targets.length > 0 ? targets : this.#byAddress(wanted, wanted.host, undefined);
  }

  /** Section 4.1: what NAPTR records name, in their order; without any, every transport we speak. */
  async #services(wanted: Wanted): Promise<{ transport: TransportName; name: string }[]> {
    const records = await this.#options.resolver.naptr(wanted.host);
    const named = records
      .toSorted((a, b) => a.order - b.order || a.preference - b.preference)
      .flatMap(({ flags, service, replacement }) => {
        const transport = flags.toLowerCase() === 's' ? naptrServices[service.toLowerCase()] : undefined;
        return transport === undefined || !this.#speaks(transport) ? [] : [{ transport, name: replacement }];
      });
    const all = transportNames
      .filter((transport) => this.#speaks(transport))
      .map((transport) => serviceOf(transport, wanted.host));
    return (named.length > 0 ? named : all).filter(({ transport }) => !wanted.secure || transport === 'tls');
  }

  async #bySrv(
    wanted: Wanted,
    { transport, name }: { transport: TransportName; name: string },
  ): Promise<Endpoint[]> {
    const records = inSrvOrder(await this.#options.resolver.srv(name), this.#options.random);
    const found = await Promise.all(
      records
        .slice(0, maxTargets)
        .map(({ name: host, port }) => this.#byAddress({ ...wanted, transport }, host, port)),
    );
    return found.flat();
  }

  /** A and AAAA records; `host` may be an address where SRV records are careless. */
  async #byAddress(wanted: Wanted, host: string, port: number | undefined): Promise<Endpoint[]> {
    if (isIP(host) !== 0) return [endpointOf({ ...wanted, port }, host)];
    const { resolver, reaches } = this.#options;
    const { transport } = endpointOf(wanted, host);
    const families = ([4, 6] as const).filter((family) => reaches(transport, family));
    const found = await Promise.all(
      (families.length > 0 ? families : [4 as const]).map((family) => resolver.addresses(host, family)),
    );
    return found.flat().map((address) => endpointOf({ ...wanted, port }, address));
  }

  #speaks(transport: TransportName): boolean {
    return this.#options.reaches(transport, 4) || this.#options.reaches(transport, 6);
  }
}

/** Section 4.1: the URI's own words, `maddr` among them; undefined for a transport we do not speak. */
function wantedOf(
  { scheme, host, port, parameters }: SipUri,
  transport: TransportName | undefined,
): Wanted | undefined {
  const named = parameters.get('transport')?.toLowerCase();
  const known = transportNames.find((name) => name === named);
  if (named !== undefined && known === undefined && transport === undefined) return undefined;
  const target = parameters.get('maddr') ?? host;
  const secure = scheme === 'sips';
  const asked = transport ?? known;
  // Section 26.2.2 of RFC 3261: `sips:` is TLS, and `transport=tcp` says only what TLS stands on.
  if (secure && asked === 'udp') return undefined;
  return {
    host: target === 'localhost' ? '127.0.0.1' : target.replace(/^\[|\]$/g, ''),
    port,
    transport: secure && asked !== undefined ? 'tls' : asked,
    secure,
  };
}

/** RFC 5922 section 4: the certificate stands for the domain that was asked for, whatever DNS made of it. */
function named(endpoint: Endpoint, host: string): Endpoint {
  return endpoint.transport === 'tls' ? { ...endpoint, serverName: host } : endpoint;
}

function serviceOf(transport: TransportName, host: string): { transport: TransportName; name: string } {
  return { transport, name: `${serviceNames[transport]}.${host}` };
}

function endpointOf({ transport, port, secure }: Wanted, address: string): Endpoint {
  const by = transport ?? (secure ? 'tls' : 'udp');
  return { transport: by, address, port: port ?? defaultPort(by) };
}

/** RFC 2782: by priority, and of one priority at random by weight. A single `.` says that there is no such service. */
export function inSrvOrder(records: readonly SrvRecord[], random: () => number): SrvRecord[] {
  const left = records
    .filter(({ name, port }) => name !== '' && name !== '.' && port > 0)
    // Those of weight 0 stand first, so that they have a small chance.
    .toSorted((a, b) => a.priority - b.priority || a.weight - b.weight);
  const ordered: SrvRecord[] = [];
  while (left.length > 0) {
    const group = left.filter(({ priority }) => priority === left[0]?.priority);
    let point = Math.floor(random() * (group.reduce((sum, { weight }) => sum + weight, 0) + 1));
    const chosen = group.find(({ weight }) => (point -= weight) <= 0) ?? group[0];
    if (chosen === undefined) break;
    ordered.push(chosen);
    left.splice(left.indexOf(chosen), 1);
  }
  return ordered;
}
