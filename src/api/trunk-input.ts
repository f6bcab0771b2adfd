import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { nationalDialing } from '../routing/national-dialing.ts';
import { numberForms } from '../routing/number-format.ts';
import { parseGateway } from '../routing/trunk.ts';
import { parseSipUri } from '../sip/uri.ts';
import { trunkMeaning } from './trunk-meaning.ts';

const maxRoutes = 1000;
const maxNetworks = 200;
const maxGateways = 8;

const network = z
  .string()
  .max(64)
  .meta({ examples: ['192.0.2.0/24'] })
  .refine(
    (text) => ipaddr.isValidCIDR(text) && isIP(text.replace(/\/.*$/, '')) !== 0,
    'expected a network in CIDR notation, as 192.0.2.0/24',
  );

const route = z.strictObject({
  prefix: z
    .string()
    .regex(/^\+\d{0,15}$/, 'expected + and digits; + alone for every number')
    .meta({ description: trunkMeaning.prefix, examples: ['+44'] }),
  cost: z
    .number()
    .min(0)
    .max(1_000_000)
    .default(0)
    .meta({ description: trunkMeaning.cost, examples: [10] }),
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
export const transport = z.enum(['udp', 'tcp', 'tls']);
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
  from_user: user.nullish().meta({ description: trunkMeaning.from_user, examples: ['4711'] }),
  from_domain: host.nullish().meta({ description: trunkMeaning.from_domain, examples: ['sip.example.com'] }),
  caller_id: z
    .enum(['from', 'p-asserted-identity', 'remote-party-id'])
    .nullish()
    .meta({ description: trunkMeaning.caller_id }),
  privacy: z.enum(['asked', 'always', 'never']).nullish().meta({ description: trunkMeaning.privacy }),
  trust_identity: z.boolean().nullish().meta({ description: trunkMeaning.trust_identity }),
  number_format: z.enum(numberForms).nullish().meta({ description: trunkMeaning.number_format }),
  country: z
    .string()
    .max(5)
    .refine((text) => nationalDialing(text) !== undefined, 'expected two letters of ISO 3166-1, as GB')
    .nullish()
    .meta({ description: trunkMeaning.country, examples: ['GB'] }),
  dial_prefix: z
    .string()
    .regex(/^[0-9*#]{1,16}$/, 'expected digits')
    .nullish()
    .meta({ description: trunkMeaning.dial_prefix, examples: ['9'] }),
  codecs: z
    .array(z.enum(['opus', 'G722', 'PCMU', 'PCMA']))
    .min(1)
    .max(4)
    .nullish()
    .meta({ description: trunkMeaning.codecs, examples: [['opus', 'PCMA']] }),
  srtp: z.enum(['off', 'optional', 'required']).nullish().meta({ description: trunkMeaning.srtp }),
  tls_verify: z.boolean().nullish().meta({ description: trunkMeaning.tls_verify }),
};

const peer = host.meta({ description: trunkMeaning.host, examples: ['sip.example.com'] });
const peerPort = port.meta({ description: trunkMeaning.port, examples: [5060] });

export const trunkInput = z
  .strictObject({
    name: z
      .string()
      .regex(/^[\w.-]{1,64}$/, 'expected 1 to 64 letters, digits, dots, - or _')
      .meta({ description: trunkMeaning.name, examples: ['carrier'] }),
    host: peer,
    port: peerPort,
    transport: transport.default('udp').meta({ description: trunkMeaning.transport }),
    gateways: z
      .array(z.strictObject({ host: peer, port: peerPort }))
      .max(maxGateways)
      .default([])
      .meta({ description: trunkMeaning.gateways, examples: [[{ host: 'backup.example.com' }]] }),
    outbound_proxy: hostPort
      .nullish()
      .meta({ description: trunkMeaning.outbound_proxy, examples: ['proxy.example.com:5060'] }),
    username: z
      .string()
      .min(1)
      .max(200)
      .nullish()
      .meta({ description: trunkMeaning.username, examples: ['me'] }),
    password: z
      .string()
      .min(1)
      .max(500)
      .nullish()
      .meta({ description: 'Of the digest authentication; never given back.', examples: ['correct horse'] }),
    register: z
      .boolean()
      .default(false)
      .meta({ description: trunkMeaning.register, examples: [true] }),
    registrar: hostPort
      .nullish()
      .meta({ description: trunkMeaning.registrar, examples: ['registrar.example.com'] }),
    contact_user: user.nullish().meta({ description: trunkMeaning.contact_user, examples: ['callreel'] }),
    from_number: party.nullish().meta({ description: trunkMeaning.from_number, examples: ['+15558881188'] }),
    routes: z
      .array(route)
      .max(maxRoutes)
      .default([])
      .meta({ description: trunkMeaning.routes, examples: [[{ prefix: '+', cost: 10 }]] }),
    priority: z
      .int()
      .min(-1000)
      .max(1000)
      .default(0)
      .meta({ description: trunkMeaning.priority, examples: [0] }),
    source_networks: z
      .array(network)
      .max(maxNetworks)
      .default([])
      .meta({ description: trunkMeaning.source_networks, examples: [['192.0.2.0/24']] }),
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
