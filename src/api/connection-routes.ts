import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { getConnection, pageConnections } from '../database/connections.ts';
import type { Connection, Db } from '../database/schema.ts';
import { CallreelError } from '../errors.ts';
import type { IdentityAddress } from '../sip/caller-identity.ts';
import { listBody, listOf, listQuery, listRequest } from './list-query.ts';

export interface ConnectionRoutesOptions {
  accountId: string;
  db: Db;
}

const list = 'native-connections';
const address = { uri: z.string(), display_name: z.string().nullable() };
const optionalText = z.string().nullable();
const identityBody = z.object({
  /** The peer is a trunk or an allowed network: its word about the caller was taken. */
  trusted: z.boolean(),
  from: z.object(address).nullable(),
  to: z.object(address).nullable(),
  asserted: z.array(z.object(address)),
  remote_party: z.array(
    z.object({ ...address, party: optionalText, screen: optionalText, privacy: optionalText }),
  ),
  privacy: z.array(z.string()),
  diversion: z.array(z.object({ ...address, reason: optionalText, counter: z.int().nullable() })),
  history: z.array(z.object({ ...address, index: optionalText, cause: z.int().nullable() })),
  /** As received, not verified. */
  passports: z.array(z.string()),
  verstat: optionalText,
});
const connectionBody = z.object({
  connection_id: z.string(),
  from: z.string(),
  to: z.string(),
  direction: z.enum(['incoming', 'outgoing']),
  status: z.enum(['connecting', 'connected', 'failed', 'finished']),
  start_time: z.string(),
  end_time: z.string().nullable(),
  end_reason: optionalText,
  sip_call_id: optionalText,
  trunk_id: optionalText,
  sip_identity: identityBody.nullable(),
});

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
        querystring: z.object({
          ...listQuery,
          from: z.string().max(500).optional(),
          to: z.string().max(500).optional(),
          status: z.enum(['connecting', 'connected', 'failed', 'finished']).optional(),
          direction: z.enum(['incoming', 'outgoing']).optional(),
        }),
        response: { 200: listOf(connectionBody) },
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
        params: z.object({ connectionId: z.string().max(64) }),
        response: { 200: connectionBody },
      },
    },
    async ({ params: { connectionId } }) => {
      const row = await getConnection(db, accountId, connectionId);
      if (row) return toBody(row);
      throw new CallreelError('NOT_FOUND', 'there is no such connection', { where: connectionId });
    },
  );
}
