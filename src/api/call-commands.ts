import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { CallPlacer } from '../call/call-placer.ts';
import type { CallRecords } from '../call/call-records.ts';
import type { CallTarget } from '../call/connector.ts';
import { parseSipUri } from '../sip/uri.ts';
import { clientState, clientStateInput } from './client-state.ts';
import { errors, keyed } from './error-body.ts';
import { flag, identifier, identifierParameter, nothing, text } from './fields.ts';

export interface CallCommandOptions {
  accountId: string;
  placer: Pick<CallPlacer, 'place' | 'hangUp'>;
  records: Pick<CallRecords, 'get'>;
}

const maxUrlLength = 2000;
const number = z.string().regex(/^\+\d{1,15}$/);
const sipUri = z
  .string()
  .max(256)
  .refine((uri) => parseSipUri(uri) !== undefined);
const client = z.string().regex(/^client:[\w.+-]{1,128}$/);

const conferenceInput = z
  .strictObject({
    name: z
      .string()
      .min(1)
      .max(200)
      .meta({ description: 'Its name; it begins with whoever joins first.', examples: ['support'] }),
    record: flag(
      'Whether this party is recorded. One true records the conference; false keeps this party out of every ' +
        'recording; without it the party is in what is recorded of the others.',
    ).optional(),
    leave_key: z
      .string()
      .regex(/^[0-9A-D*#]$/, 'expected one key')
      .meta({ description: 'The key with which this party leaves, and ends its call.', examples: ['#'] })
      .optional(),
    event_callback: z
      .url({ protocol: /^https?$/, error: 'expected an http or https URL' })
      .max(maxUrlLength)
      .meta({
        description: 'Gets the events of the conversation.',
        examples: ['https://app.example.com/events'],
      })
      .optional(),
  })
  .meta({ description: 'Where the party is put once it has answered.' });

const placeInput = z.strictObject({
  to: z.union([number, sipUri, client], { error: 'expected +NUMBER, sip:USER@HOST or client:NAME' }).meta({
    description:
      'Whom to call: a number in E.164 by a trunk, a SIP URI, or `client:` and the name of a registered phone. ' +
      'Dial permissions hold.',
    examples: ['+15557772277'],
  }),
  from: z.union([number, sipUri], { error: 'expected +NUMBER or sip:USER@HOST' }).meta({
    description:
      'Whom the called party sees: a number in E.164 or a SIP URI; its trunk may write another one.',
    examples: ['+15558881188'],
  }),
  conference: conferenceInput,
  answer_timeout_ms: z
    .int()
    .min(1000)
    .max(600_000)
    .default(60_000)
    .meta({ description: 'How long it may ring, in ms.', examples: [60_000] }),
  client_state: clientStateInput,
});

const placedBody = z
  .object({
    call_id: identifier('The call; its `status` says how it goes on.'),
    from: text('Who calls.', '+15558881188'),
    to: text('Who is called.', '+15557772277'),
    client_state: clientState,
  })
  .meta({ description: 'The call is on its way and on record.' });

const byId = z.strictObject({ callId: identifierParameter('The connection id of any of its legs.') });

function targetOf(to: string): CallTarget {
  if (to.startsWith('client:')) return { kind: 'client', name: to.slice('client:'.length) };
  return { kind: 'phone', number: to };
}

/** Placing and ending calls. */
export function callCommandRoutes(
  app: FastifyInstance,
  { accountId, placer, records }: CallCommandOptions,
): void {
  const api = app.withTypeProvider<ZodTypeProvider>();

  api.post(
    '/v1/calls',
    {
      schema: {
        operationId: 'placeCall',
        summary: 'Call somebody into a conference',
        description:
          'Answers when the call is on its way. Whether it is answered, and why not, its `status` and `end_reason` ' +
          'say. The call ends when its party leaves the conference.',
        tags: ['calls'],
        body: placeInput,
        response: {
          201: placedBody,
          ...errors(
            ...keyed,
            'NOT_FOUND',
            'NUMBER_INVALID',
            'OUTBOUND_FORBIDDEN',
            'NO_TRUNK',
            'DIAL_FAILED',
            'SIP_HOST_UNKNOWN',
            'OVERLOADED',
            'PORTS_EXHAUSTED',
            'WORKER_LOST',
          ),
        },
      },
    },
    async ({ body }, reply) => {
      const { to, from, conference, answer_timeout_ms: timeoutMs, client_state } = body;
      const { name, record, leave_key: leaveKey, event_callback: eventCallback } = conference;
      const policy = record === undefined ? 'follow' : record ? 'record' : 'never';
      const { connection } = await placer.place({
        accountId,
        from,
        target: targetOf(to),
        goal: { conferenceName: name, join: { policy, leaveKey, eventCallback } },
        timeoutMs,
        clientState: client_state,
      });
      reply.code(201);
      return {
        call_id: connection.connectionId,
        from: connection.from,
        to: connection.to,
        client_state: connection.clientState ?? null,
      };
    },
  );

  api.post(
    '/v1/calls/:callId/hang-up',
    {
      schema: {
        operationId: 'hangUpCall',
        summary: 'Hang up a call',
        description: 'All legs of it, those that ring too. One that ended stays so.',
        tags: ['calls'],
        params: byId,
        response: { 202: nothing, ...errors(...keyed, 'NOT_FOUND') },
      },
    },
    async ({ params: { callId } }, reply) => {
      if (!placer.hangUp(callId)) await records.get(accountId, callId);
      reply.code(202);
      return {};
    },
  );
}
