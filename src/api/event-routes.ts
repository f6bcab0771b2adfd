import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { eventState, getEvent, pageEvents } from '../database/events.ts';
import type { Db, Event } from '../database/schema.ts';
import { CallreelError } from '../errors.ts';
import { listBody, listOf, listQuery, listRequest } from './list-query.ts';

export interface EventRoutesOptions {
  accountId: string;
  db: Db;
  /** Sends it once more. @throws CallreelError NOT_FOUND, CONFLICT */
  replay(eventId: string): Promise<void>;
}

const list = 'events';
const states = z.enum(['pending', 'delivered', 'dead']);
const eventBody = z.object({
  event_id: z.string(),
  conversation_id: z.string(),
  type: z.string(),
  callback_url: z.string(),
  state: states,
  attempts: z.int(),
  /** Of the latest attempt; null when there was none or it succeeded. */
  last_error: z.string().nullable(),
  created_at: z.string(),
  delivered_at: z.string().nullable(),
  dead_at: z.string().nullable(),
  payload: z.unknown(),
});

function toBody(row: Event): z.output<typeof eventBody> {
  return {
    event_id: row.eventId,
    conversation_id: row.conversationId,
    type: row.type,
    callback_url: row.callbackUrl,
    state: eventState(row),
    attempts: row.attempts,
    last_error: row.lastError,
    created_at: row.createdAt.toISOString(),
    delivered_at: row.deliveredAt?.toISOString() ?? null,
    dead_at: row.deadAt?.toISOString() ?? null,
    payload: row.payload,
  };
}

/** `/v1/events`: what went out to the applications, what did not, and sending it again. */
export function eventRoutes(app: FastifyInstance, { accountId, db, replay }: EventRoutesOptions): void {
  const api = app.withTypeProvider<ZodTypeProvider>();

  api.get(
    '/v1/events',
    {
      schema: {
        querystring: z.object({
          ...listQuery,
          conversation_id: z.string().max(64).optional(),
          state: states.optional(),
        }),
        response: { 200: listOf(eventBody) },
      },
    },
    async ({ query }) => {
      const filter = { conversationId: query.conversation_id, state: query.state };
      return listBody(list, await pageEvents(db, accountId, { ...listRequest(list, query), filter }), toBody);
    },
  );

  api.post(
    '/v1/events/:eventId/replay',
    { schema: { params: z.object({ eventId: z.string().max(64) }), response: { 202: eventBody } } },
    async ({ params: { eventId } }, reply) => {
      const before = await getEvent(db, eventId);
      if (before?.accountId !== accountId)
        throw new CallreelError('NOT_FOUND', 'there is no such event', { where: eventId });
      await replay(eventId);
      reply.code(202);
      return toBody((await getEvent(db, eventId)) ?? before);
    },
  );
}
