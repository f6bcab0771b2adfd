import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import type { Trunk, TrunkOptions } from '../database/schema.ts';
import type { NewTrunk } from '../database/trunks.ts';
import { nationalDialing } from '../routing/national-dialing.ts';
import { numberForms } from '../routing/number-format.ts';
import { parseGateway } from '../routing/trunk.ts';
import type { TrunkRegistration } from '../routing/trunk-registrations.ts';
import { parseSipUri } from '../sip/uri.ts';

const maxRoutes = 1000;
const maxNetworks = 200;
const maxGateways = 8;

const network = z
  .string()
  .max(64)
  .refine(
    (text) => ipaddr.isValidCIDR(text) && isIP(text.replace(/\/.*$/, '')) !== 0,
    'expected a network in CIDR notation, as 192.0.2.0/24',
  );
const route = z.object({
  prefix: z.string().regex(/^\+\d{0,15}$/, 'expected + and digits; + alone for every number'),
  cost: z.number().min(0).max(1_000_000).default(0),
});

/** As a SIP URI can name it; an IPv6 address without its brackets. */
function isHost(text: string): boolean {
  const uri = parseSipUri(`sip:${isIP(text) === 6 ? `[${text}]` : text}`);
  return (
    uri !== undefined && uri.user === undefined && uri.port === undefined && uri.host === text.toLowerCase()
  );
}

function isHostPort(text: string): boolean {
  const { host, port } = parseGateway(text);
  return isHost(host) && (port === undefined || (port >= 1 && port <= 65535));
}

const host = z.string().max(253).refine(isHost, 'expected a host name or an address, the port apart');
const hostPort = z.string().max(260).refine(isHostPort, 'expected a host name or an address, with :port');
const port = z.int().min(1).max(65535).nullish();
const transport = z.enum(['udp', 'tcp', 'tls']);
const user = z
  .string()
  .min(1)
  .max(128)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these end a header
  .regex(/^[^\u0000-\u001f\u007f]+$/, 'expected no control characters');

/** A number or the user part of an address, or a whole SIP URI. */
const party = user.max(64).refine((text) => !/^sips?:/i.test(text) || parseSipUri(text) !== undefined, {
  error: 'expected a number or a SIP URI',
});

/** What is written into messages; absent: as most trunks want it. */
const options = {
  from_user: user.nullish(),
  from_domain: host.nullish(),
  caller_id: z.enum(['from', 'p-asserted-identity', 'remote-party-id']).nullish(),
  privacy: z.enum(['asked', 'always', 'never']).nullish(),
  trust_identity: z.boolean().nullish(),
  number_format: z.enum(numberForms).nullish(),
  country: z
    .string()
    .max(5)
    .refine((text) => nationalDialing(text) !== undefined, 'expected two letters of ISO 3166-1, as GB')
    .nullish(),
  dial_prefix: z
    .string()
    .regex(/^[0-9*#]{1,16}$/, 'expected digits')
    .nullish(),
  codecs: z
    .array(z.enum(['opus', 'G722', 'PCMU', 'PCMA']))
    .min(1)
    .max(4)
    .nullish(),
  srtp: z.enum(['off', 'optional', 'required']).nullish(),
  tls_verify: z.boolean().nullish(),
};

export const trunkInput = z
  .object({
    name: z.string().regex(/^[\w.-]{1,64}$/, 'expected 1 to 64 letters, digits, dots, - or _'),
    host,
    port,
    transport: transport.default('udp'),
    gateways: z.array(z.object({ host, port })).max(maxGateways).default([]),
    outbound_proxy: hostPort.nullish(),
    username: z.string().min(1).max(200).nullish(),
    password: z.string().min(1).max(500).nullish(),
    register: z.boolean().default(false),
    registrar: hostPort.nullish(),
    contact_user: user.nullish(),
    from_number: party.nullish(),
    routes: z.array(route).max(maxRoutes).default([]),
    priority: z.int().min(-1000).max(1000).default(0),
    source_networks: z.array(network).max(maxNetworks).default([]),
    ...options,
  })
  .refine(({ username, password }) => (username == null) === (password == null), {
    error: 'username and password belong together',
    path: ['password'],
  })
  .refine(({ register, username }) => !register || username != null, {
    error: 'a trunk that registers needs a username and a password',
    path: ['username'],
  });

/** The password is never given back. */
export const trunkBody = z.object({
  trunk_id: z.string(),
  name: z.string(),
  host: z.string(),
  port: z.int().nullable(),
  transport,
  gateways: z.array(z.object({ host: z.string(), port: z.int().nullable() })),
  outbound_proxy: z.string().nullable(),
  username: z.string().nullable(),
  register: z.boolean(),
  registrar: z.string().nullable(),
  contact_user: z.string().nullable(),
  from_number: z.string().nullable(),
  routes: z.array(z.object({ prefix: z.string(), cost: z.number() })),
  priority: z.int(),
  source_networks: z.array(z.string()),
  from_user: z.string().nullable(),
  from_domain: z.string().nullable(),
  caller_id: z.string(),
  privacy: z.string(),
  trust_identity: z.boolean(),
  number_format: z.string(),
  country: z.string().nullable(),
  dial_prefix: z.string().nullable(),
  codecs: z.array(z.string()).nullable(),
  srtp: z.string().nullable(),
  tls_verify: z.boolean().nullable(),
  created_at: z.string(),
  /** Null for a trunk that does not register. */
  registration: z
    .object({
      state: z.enum(['registering', 'registered', 'failing']),
      since: z.string(),
      expires_at: z.string().nullable(),
      next_attempt_at: z.string().nullable(),
      last_error: z.string().nullable(),
    })
    .nullable(),
});

export function toNewTrunk(
  body: z.output<typeof trunkInput>,
  own: Pick<NewTrunk, 'trunkId' | 'accountId' | 'sealedPassword' | 'createdAt'>,
): NewTrunk {
  return {
    ...own,
    name: body.name,
    host: body.host,
    port: body.port ?? null,
    transport: body.transport,
    gateways: body.gateways.map((gateway) => ({ host: gateway.host, port: gateway.port ?? null })),
    outboundProxy: body.outbound_proxy ?? null,
    username: body.username ?? null,
    registers: body.register,
    registrar: body.registrar ?? null,
    contactUser: body.contact_user ?? null,
    fromNumber: body.from_number ?? null,
    routes: body.routes,
    priority: body.priority,
    sourceNetworks: body.source_networks,
    options: toOptions(body),
  };
}

function toOptions(body: z.output<typeof trunkInput>): TrunkOptions {
  const given = {
    fromUser: body.from_user,
    fromDomain: body.from_domain,
    callerId: body.caller_id,
    privacy: body.privacy,
    trustIdentity: body.trust_identity,
    numberForm: body.number_format,
    country: body.country,
    dialPrefix: body.dial_prefix,
    codecs: body.codecs?.map((name) => (name === 'opus' ? 'OPUS' : name)),
    srtp: body.srtp,
    tlsVerify: body.tls_verify,
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value != null));
}

export function toTrunkBody(
  row: Trunk,
  registration: TrunkRegistration | undefined,
): z.output<typeof trunkBody> {
  const { options } = row;
  return {
    trunk_id: row.trunkId,
    name: row.name,
    host: row.host,
    port: row.port,
    transport: row.transport,
    gateways: row.gateways,
    outbound_proxy: row.outboundProxy,
    username: row.username,
    register: row.registers,
    registrar: row.registrar,
    contact_user: row.contactUser,
    from_number: row.fromNumber,
    routes: row.routes,
    priority: row.priority,
    source_networks: row.sourceNetworks,
    from_user: options.fromUser ?? null,
    from_domain: options.fromDomain ?? null,
    caller_id: options.callerId ?? 'from',
    privacy: options.privacy ?? 'asked',
    trust_identity: options.trustIdentity ?? true,
    number_format: options.numberForm ?? 'plus',
    country: options.country ?? null,
    dial_prefix: options.dialPrefix ?? null,
    codecs: options.codecs?.map((name) => (name === 'OPUS' ? 'opus' : name)) ?? null,
    srtp: options.srtp ?? null,
    tls_verify: options.tlsVerify ?? null,
    created_at: row.createdAt.toISOString(),
    registration: registration === undefined ? null : registrationBody(registration),
  };
}

function registrationBody(registration: TrunkRegistration) {
  const { state, sinceUnixMs, expiresUnixMs, nextAttemptUnixMs, lastError } = registration;
  const moment = (unixMs: number | undefined) =>
    unixMs === undefined ? null : new Date(unixMs).toISOString();
  return {
    state,
    since: new Date(sinceUnixMs).toISOString(),
    expires_at: moment(expiresUnixMs),
    next_attempt_at: moment(nextAttemptUnixMs),
    last_error: lastError ?? null,
  };
}
