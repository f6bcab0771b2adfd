import { openSecret } from '../auth/sealed-secret.ts';
import type { TrunkGateway, TrunkOptions, TrunkRoute, Trunk as TrunkRow } from '../database/schema.ts';
import type { Secret } from '../secret.ts';
import { formatNumber } from './number-format.ts';

export type { TrunkOptions, TrunkRoute } from '../database/schema.ts';

/** One host of a trunk. */
export interface Gateway {
  host: string;
  /** Undefined: the transport's usual one, or what DNS says. */
  port: number | undefined;
}

/** A SIP peer that calls go out by and come in from. */
export interface Trunk {
  trunkId: string;
  name: string;
  host: string;
  port: number | undefined;
  transport: 'udp' | 'tcp' | 'tls';
  username: string | undefined;
  sealedPassword: string | undefined;
  /** Shown to the called party instead of the caller's own number. */
  fromNumber: string | undefined;
  routes: readonly TrunkRoute[];
  sourceNetworks: readonly string[];
  /** Tried in this order; the first is `host` and `port`. */
  gateways: readonly Gateway[];
  outboundProxy: Gateway | undefined;
  registers: boolean;
  registrar: string | undefined;
  contactUser: string | undefined;
  priority: number;
  options: TrunkOptions;
}

export function trunkOf(row: TrunkRow): Trunk {
  const { host, gateways, registers, priority, options } = row;
  const port = row.port ?? undefined;
  return {
    trunkId: row.trunkId,
    name: row.name,
    host,
    port,
    transport: row.transport,
    username: row.username ?? undefined,
    sealedPassword: row.sealedPassword ?? undefined,
    fromNumber: row.fromNumber ?? undefined,
    routes: row.routes,
    sourceNetworks: row.sourceNetworks,
    gateways: [{ host, port }, ...gateways.map(gatewayOf)],
    outboundProxy: row.outboundProxy === null ? undefined : parseGateway(row.outboundProxy),
    registers,
    registrar: row.registrar ?? undefined,
    contactUser: row.contactUser ?? undefined,
    priority,
    options,
  };
}

function gatewayOf({ host, port }: TrunkGateway): Gateway {
  return { host, port: port ?? undefined };
}

/** `host`, `host:port`, `[v6]:port` or a bare IPv6 address. */
export function parseGateway(text: string): Gateway {
  const match = /^(\[[^\]]+\]|[^:]+):(\d+)$/.exec(text);
  const host = (match?.[1] ?? text).replace(/^\[(.*)\]$/, '$1');
  return { host, port: match === null ? undefined : Number(match[2]) };
}

/** What the sealed password is bound to. */
export function trunkSecretContext(trunkId: string): string {
  return `trunk ${trunkId}`;
}

/**
 * What to answer a challenge of the trunk with.
 * @throws CallreelError SPOOL_KEY_MISSING when the password was sealed by another master key
 */
export function trunkCredentials(
  { trunkId, username, sealedPassword }: Trunk,
  masterKey: Secret<Buffer>,
): { username: string; password: Secret } | undefined {
  if (username === undefined || sealedPassword === undefined) return undefined;
  return { username, password: openSecret(masterKey, trunkSecretContext(trunkId), sealedPassword) };
}

/** Where a gateway of the trunk is asked for a number: `sip:+15558881188@sip.example.com:5062;transport=tcp`. */
export function trunkUri(trunk: Trunk, number: string, gateway: Gateway = trunk): string {
  const { options, transport } = trunk;
  const { numberForm = 'plus', country, dialPrefix } = options;
  const user = formatNumber(number, { form: numberForm, country, dialPrefix });
  return `sip:${user}@${hostPort(gateway)}${transportParameter(transport)}`;
}

/** Request-URI of the trunk's registrations. */
export function registrarUri({ registrar, host, port, transport }: Trunk): string {
  const gateway = registrar === undefined ? { host, port } : parseGateway(registrar);
  return `sip:${hostPort(gateway)}${transportParameter(transport)}`;
}

/** The address of record that a trunk registers. */
export function trunkAor({ registrar, host, username, trunkId, options }: Trunk): string {
  const domain = options.fromDomain ?? (registrar === undefined ? host : parseGateway(registrar).host);
  return `sip:${encodeURIComponent(username ?? trunkId)}@${literal(domain)}`;
}

/** Of the Contact we register: whoever calls it knows it from the registrar alone. */
export function contactUserOf({ contactUser, trunkId }: Trunk): string {
  return contactUser ?? trunkId;
}

export function hostPort({ host, port }: Gateway): string {
  return port === undefined ? literal(host) : `${literal(host)}:${port}`;
}

function literal(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}

function transportParameter(transport: Trunk['transport']): string {
  return transport === 'udp' ? '' : `;transport=${transport}`;
}
