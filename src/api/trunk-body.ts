import { z } from 'zod';
import type { Trunk, TrunkOptions } from '../database/schema.ts';
import type { NewTrunk } from '../database/trunks.ts';
import type { TrunkRegistration } from '../routing/trunk-registrations.ts';
import { choice, flag, identifier, integer, moment, number, text } from './fields.ts';
import { transport, type trunkInput } from './trunk-input.ts';
import { trunkMeaning } from './trunk-meaning.ts';

const known = {
  text: (name: keyof typeof trunkMeaning, example: string) => text(trunkMeaning[name], example),
  gateway: z.object({
    host: text(trunkMeaning.host, 'backup.example.com'),
    port: integer(trunkMeaning.port, 5060).nullable(),
  }),
  route: z.object({ prefix: text(trunkMeaning.prefix, '+44'), cost: number(trunkMeaning.cost, 10) }),
};

/** The password is never given back. */
export const trunkBody = z
  .object({
    trunk_id: identifier('The trunk.'),
    name: known.text('name', 'carrier'),
    host: known.text('host', 'sip.example.com'),
    port: integer(trunkMeaning.port, 5060).nullable(),
    transport: transport.meta({ description: trunkMeaning.transport }),
    gateways: z.array(known.gateway).meta({ description: trunkMeaning.gateways }),
    outbound_proxy: known.text('outbound_proxy', 'proxy.example.com:5060').nullable(),
    username: known.text('username', 'me').nullable(),
    register: flag(trunkMeaning.register),
    registrar: known.text('registrar', 'registrar.example.com').nullable(),
    contact_user: known.text('contact_user', 'callreel').nullable(),
    from_number: known.text('from_number', '+15558881188').nullable(),
    routes: z.array(known.route).meta({ description: trunkMeaning.routes }),
    priority: integer(trunkMeaning.priority, 0),
    source_networks: z
      .array(z.string())
      .meta({ description: trunkMeaning.source_networks, examples: [['192.0.2.0/24']] }),
    from_user: known.text('from_user', '4711').nullable(),
    from_domain: known.text('from_domain', 'sip.example.com').nullable(),
    caller_id: known.text('caller_id', 'from'),
    privacy: known.text('privacy', 'asked'),
    trust_identity: flag(trunkMeaning.trust_identity),
    number_format: known.text('number_format', 'plus'),
    country: known.text('country', 'GB').nullable(),
    dial_prefix: known.text('dial_prefix', '9').nullable(),
    codecs: z
      .array(z.string())
      .nullable()
      .meta({ description: trunkMeaning.codecs, examples: [['opus', 'PCMA']] }),
    srtp: known.text('srtp', 'optional').nullable(),
    tls_verify: flag(trunkMeaning.tls_verify).nullable(),
    created_at: moment('When it was added.'),
    registration: z
      .object({
        state: choice(['registering', 'registered', 'failing'], 'How it stands.'),
        since: moment('Since when.'),
        expires_at: moment('When it ends unless it is renewed; null where there is none.').nullable(),
        next_attempt_at: moment('When it is tried or renewed; null where nothing is planned.').nullable(),
        last_error: text('Why the latest attempt failed; null where it did not.', '403 Forbidden').nullable(),
      })
      .nullable()
      .meta({ description: 'Its registration; null for a trunk that does not register.' }),
  })
  .meta({ description: 'The trunk and how it stands.' });

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
