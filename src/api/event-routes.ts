import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { eventState, getEvent, pageEvents } from '../database/events.ts';
import type { Db, Event } from '../database/schema.ts';
import { CallreelError } from '../errors.ts';
import { errors, keyed } from './error-body.ts';
import { choice, identifier, identifierParameter, integer, moment, text } from './fields.ts';
import { listBody, listOf, listQuery, listRequest } from './list-query.ts';

export interface EventRoutesOptions {
  accountId: string;
  db: Db;
  /** Sends it once more. @throws CallreelError NOT_FOUND, CONFLICT */
  replay(eventId: string): Promise<void>;
}

const list = 'events';
const states = ['pending', 'delivered', 'dead'] as const;
const eventBody = z
  .object({
    event_id: identifier('The event; a replay keeps it.'),
    conversation_id: identifier('The conversation it is about.'),
    type: text('What happened.', 'conversation.ended'),
    callback_url: text('Where it goes.', 'https://app.example.com/events'),
    state: choice(states, '`dead`: it was given up after 72 hours of attempts.'),
    attempts: integer('Since it was written or replayed.', 1),
    last_error: text(
      'Of the latest attempt; null when there was none or it succeeded.',
      'answered 503',
    ).nullable(),
    created_at: moment('When it happened.'),
    delivered_at: moment('When it was taken; null before.').nullable(),
    dead_at: moment('When it was given up; null otherwise.')
      .nullable()
      .meta({ examples: [null] }),
    payload: z.unknown().meta({
      description: "The body as it is sent, in the form of the conversation's dialect.",
      examples: [{ type: 'ended' }],
    }),
  })
  .meta({ description: 'The event.' });

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
        operationId: 'listEvents',
        summary: 'Events for the applications, the latest first',
        tags: ['events'],
        querystring: z.strictObject({
          ...listQuery,
          conversation_id: identifierParameter('Only of this conversation.').optional(),
          state: choice(states, 'Only those.').optional(),
        }),
        response: { 200: listOf(eventBody), ...errors() },
      },
    },
    async ({ query }) => {
      const filter = { conversationId: query.conversation_id, state: query.state };
      return listBody(list, await pageEvents(db, accountId, { ...listRequest(list, query), filter }), toBody);
    },
  );

  api.post(
    '/v1/events/:eventId/replay',
    {
      schema: {
        operationId: 'replayEvent',
        summary: 'Send an event once more',
        description:
          'A delivered or dead one is pending again, under its id and at its old place in the order.',
        tags: ['events'],
        params: z.object({ eventId: identifierParameter('The event.') }),
        response: { 202: eventBody, ...errors(...keyed, 'NOT_FOUND', 'CONFLICT') },
      },
    },
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
