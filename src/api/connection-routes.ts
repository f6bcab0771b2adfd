import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { getConnection, pageConnections } from '../database/connections.ts';
import type { Connection, Db } from '../database/schema.ts';
import { CallreelError } from '../errors.ts';
import type { IdentityAddress } from '../sip/caller-identity.ts';
import { errors } from './error-body.ts';
import {
  callDirection,
  callStatus,
  flag,
  identifier,
  identifierParameter,
  integer,
  moment,
  text,
} from './fields.ts';
import { listBody, listOf, listQuery, listRequest } from './list-query.ts';
import { partyFilters } from './party-filters.ts';

export interface ConnectionRoutesOptions {
  accountId: string;
  db: Db;
}

const list = 'native-connections';
const address = {
  uri: text('SIP or tel URI.', 'sip:+15558881188@sip.example.com'),
  display_name: text('As it stood before the URI; null without one.', 'Ann').nullable(),
};
const optionalText = (description: string, example: string) => text(description, example).nullable();
const addresses = (description: string) => z.array(z.object(address)).meta({ description });
const identityBody = z.object({
  trusted: flag('The peer is a trunk or an allowed network: its word about the caller was taken.'),
  from: z.object(address).nullable().meta({ description: 'From; null where it could not be read.' }),
  to: z.object(address).nullable().meta({ description: 'To; null where it could not be read.' }),
  asserted: addresses('P-Asserted-Identity (RFC 3325).'),
  remote_party: z
    .array(
      z.object({
        ...address,
        party: optionalText('Whom it is about.', 'calling'),
        screen: optionalText('Whether it was verified.', 'yes'),
        privacy: optionalText('What is to be kept secret.', 'off'),
      }),
    )
    .meta({ description: 'Remote-Party-ID.' }),
  privacy: z.array(z.string()).meta({ description: 'Values of Privacy (RFC 3323).', examples: [['id']] }),
  diversion: z
    .array(
      z.object({
        ...address,
        reason: optionalText('Why it was diverted.', 'no-answer'),
        counter: integer('How often.', 1).nullable(),
      }),
    )
    .meta({ description: 'Diversion (RFC 5806), the latest first.' }),
  history: z
    .array(
      z.object({
        ...address,
        index: optionalText('Its place.', '1.1'),
        cause: integer('Why it came there.', 302).nullable(),
      }),
    )
    .meta({ description: 'History-Info (RFC 7044).' }),
  passports: z
    .array(z.string())
    .meta({ description: 'Values of Identity (RFC 8224) as received, not verified.', examples: [[]] }),
  verstat: optionalText('What the network says of the number.', 'TN-Validation-Passed'),
});
const connectionBody = z
  .object({
    connection_id: identifier('The connection: one call between us and one party.'),
    from: text('Who called: a number in E.164, or a SIP URI.', '+15558881188'),
    to: text('Who was called.', '+15557772277'),
    direction: callDirection(),
    status: callStatus(),
    start_time: moment('When its INVITE came or went out.'),
    end_time: moment('When it ended; null while it goes on.', '2026-09-14T08:31:01.240Z').nullable(),
    end_reason: optionalText('Why it ended; null while it goes on.', 'hung-up'),
    sip_call_id: optionalText('Call-ID of its SIP messages.', 'a84b4c76e66710@192.0.2.7'),
    trunk_id: identifier('The trunk it came in or went out by; null for none.').nullable(),
    sip_identity: identityBody.nullable().meta({ description: 'What its INVITE said of the caller.' }),
  })
  .meta({ description: 'The connection.' });

function toAddress({ uri, displayName }: IdentityAddress) {
  return { uri, display_name: displayName ?? null };
}

function toIdentity(identity: NonNullable<Connection['sipIdentity']>): z.output<typeof identityBody> {
  const { from, to, asserted = [], remoteParty = [], diversion = [], history = [] } = identity;
  return {
    trusted: identity.trusted ?? false,
    from: from ? toAddress(from) : null,
    to: to ? toAddress(to) : null,
    asserted: asserted.map(toAddress),
    remote_party: remoteParty.map((entry) => ({
      ...toAddress(entry),
      party: entry.party ?? null,
      screen: entry.screen ?? null,
      privacy: entry.privacy ?? null,
    })),
    privacy: identity.privacy ?? [],
    diversion: diversion.map((entry) => ({
      ...toAddress(entry),
      reason: entry.reason ?? null,
      counter: entry.counter ?? null,
    })),
    history: history.map((entry) => ({
      ...toAddress(entry),
      index: entry.index ?? null,
      cause: entry.cause ?? null,
    })),
    passports: identity.passports ?? [],
    verstat: identity.verstat ?? null,
  };
}

function toBody(row: Connection): z.output<typeof connectionBody> {
  return {
    connection_id: row.connectionId,
    from: row.from,
    to: row.to,
    direction: row.direction,
    status: row.status,
    start_time: row.startTime.toISOString(),
    end_time: row.endTime?.toISOString() ?? null,
    end_reason: row.endReason,
    sip_call_id: row.sipCallId,
    trunk_id: row.trunkId,
    sip_identity: row.sipIdentity ? toIdentity(row.sipIdentity) : null,
  };
}

/** `/v1/connections`: every call, with who it said it was and why it ended. */
export function connectionRoutes(app: FastifyInstance, { accountId, db }: ConnectionRoutesOptions): void {
  const api = app.withTypeProvider<ZodTypeProvider>();

  api.get(
    '/v1/connections',
    {
      schema: {
        operationId: 'listConnections',
        summary: 'Connections, the latest first',
        tags: ['calls'],
        querystring: z.strictObject({ ...listQuery, ...partyFilters }),
        response: { 200: listOf(connectionBody), ...errors() },
      },
    },
    async ({ query }) => {
      const { from, to, status, direction } = query;
      const filter = { from, to, status, direction };
      return listBody(
        list,
        await pageConnections(db, accountId, { ...listRequest(list, query), filter }),
        toBody,
      );
    },
  );

  api.get(
    '/v1/connections/:connectionId',
    {
      schema: {
        operationId: 'getConnection',
        summary: 'One connection, with who it said it was',
        tags: ['calls'],
        params: z.object({ connectionId: identifierParameter('The connection.') }),
        response: { 200: connectionBody, ...errors('NOT_FOUND') },
      },
    },
    async ({ params: { connectionId } }) => {
      const row = await getConnection(db, accountId, connectionId);
      if (row) return toBody(row);
      throw new CallreelError('NOT_FOUND', 'there is no such connection', { where: connectionId });
    },
  );
}
