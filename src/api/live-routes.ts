import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Conference } from '../call/conference.ts';
import type { LiveCalls } from '../call/live-calls.ts';
import type { Recording as RecordingRow } from '../database/schema.ts';
import { type DestinationRules, deliveryWish } from './destination-input.ts';
import { errors, keyed } from './error-body.ts';
import { callDirection, flag, identifier, identifierParameter, moment, nothing, text } from './fields.ts';
import type { MediaUrl } from './media-url.ts';
import { recordingBody, toRecordingBody } from './recording-body.ts';
import { recordingInput, wishesOf } from './recording-input.ts';

export interface LiveRoutesOptions {
  accountId: string;
  calls: LiveCalls;
  mediaUrl: MediaUrl;
  destinations: DestinationRules;
  /** @throws CallreelError NOT_FOUND, RECORDING_ERASED */
  recordingOf(recordingId: string): Promise<RecordingRow>;
}

const conferenceName = 'Name of the conference, as the routines join it.';
const conference = z
  .object({
    name: text(conferenceName, 'support'),
    conversation_id: identifier('The conversation: this conference from its first join to its last leave.'),
    start_time: moment('When the first party joined.'),
    recording: flag('Whether any recording of it runs.'),
    participants: z
      .array(
        z.object({
          connection_id: identifier('The call of this party.'),
          channel_id: identifier('This stay of it: its channel in recordings.'),
          from: text('Who called: a number in E.164, or a SIP URI.', '+15558881188'),
          to: text('Who was called.', '+15557772277'),
          direction: callDirection(),
        }),
      )
      .meta({ description: 'Who is in it, in the order of joining.' }),
  })
  .meta({ description: 'The live conference.' });
const nameParameter = z
  .string()
  .max(200)
  .meta({ description: conferenceName, examples: ['support'] });
const byName = z.object({ name: nameParameter });
const startedRecording = recordingBody.meta({
  description: 'The recording runs: the one just started, or the one that ran before.',
});

function toBody(room: Conference, calls: LiveCalls): z.output<typeof conference> {
  return {
    name: room.name,
    conversation_id: room.conversationId,
    start_time: new Date(room.startedUnixMs).toISOString(),
    recording: room.recordings.some((recording) => recording.running),
    participants: room.present.flatMap(({ connectionId, trackId }) => {
      const connection = calls.leg(connectionId)?.connection;
      if (!connection) return [];
      const { from, to, direction } = connection;
      return [{ connection_id: connectionId, channel_id: trackId, from, to, direction }];
    }),
  };
}

/** The native API of what lives right now. Authentication is the surrounding plugin's. */
export function liveRoutes(app: FastifyInstance, options: LiveRoutesOptions): void {
  const { accountId, calls, mediaUrl, destinations, recordingOf } = options;
  const api = app.withTypeProvider<ZodTypeProvider>();

  api.get(
    '/v1/conferences',
    {
      schema: {
        operationId: 'listConferences',
        summary: 'Conferences that are live on this node',
        tags: ['conferences'],
        response: {
          200: z
            .object({ conferences: z.array(conference).meta({ description: 'All of them.' }) })
            .meta({ description: 'The live conferences.' }),
          ...errors(),
        },
      },
    },
    () => ({
      conferences: calls.conferences.map((room) => toBody(room, calls)),
    }),
  );

  api.get(
    '/v1/conferences/:name',
    {
      schema: {
        operationId: 'getConference',
        summary: 'One live conference with its participants',
        tags: ['conferences'],
        params: byName,
        response: { 200: conference, ...errors('NOT_FOUND') },
      },
    },
    ({ params }) => toBody(calls.conference(accountId, params.name), calls),
  );

  api.delete(
    '/v1/conferences/:name',
    {
      schema: {
        operationId: 'endConference',
        summary: 'End a live conference',
        description:
          'Everybody is taken out: calls go on with the next command of their routine, those that were placed into ' +
          'the conference end. Its recordings end with it.',
        tags: ['conferences'],
        params: byName,
        response: {
          204: z.undefined().meta({ description: 'Nobody is in it any more.' }),
          ...errors(...keyed, 'NOT_FOUND'),
        },
      },
    },
    async ({ params }, reply) => {
      calls.endConference(accountId, params.name);
      return await reply.code(204).send();
    },
  );

  api.post(
    '/v1/conferences/:name/recordings',
    {
      schema: {
        operationId: 'startRecording',
        summary: 'Record a live conference',
        description:
          'With nothing but a `client_state`, a recording that runs already is answered, with its own `client_state`. ' +
          'With anything else it is one more recording, beside the others.',
        tags: ['conferences', 'recordings'],
        params: byName,
        body: recordingInput.optional(),
        response: {
          201: startedRecording,
          ...errors(...keyed, 'NOT_FOUND', 'CONFLICT', 'DESTINATION_INVALID', 'DESTINATION_FORBIDDEN'),
        },
      },
    },
    async ({ params, body }, reply) => {
      const ids = { applicationKey: accountId, nameId: params.name };
      const wanted = { ...wishesOf(body), ...deliveryWish(body, ids, destinations) };
      const { options, ...wishes } = wanted;
      const isPlain = Object.entries(wishes).every(
        ([name, value]) => name === 'clientState' || value === undefined,
      );
      const recording =
        options || !isPlain
          ? calls.addRecording(accountId, params.name, wanted)
          : calls.startRecording(accountId, params.name, wishes);
      await recording.whenTaken;
      // Whoever asks for it from now on finds it.
      await calls.written(recording.conversationId);
      reply.code(201);
      return toRecordingBody(await recordingOf(recording.recordingId), mediaUrl);
    },
  );

  api.post(
    '/v1/conferences/:name/recordings/:recordingId/stop',
    {
      schema: {
        operationId: 'stopRecording',
        summary: 'Stop a recording of a live conference',
        description: 'One that was stopped before stays so.',
        tags: ['conferences', 'recordings'],
        params: z.object({ name: nameParameter, recordingId: identifierParameter('The recording.') }),
        response: { 202: nothing, ...errors(...keyed, 'NOT_FOUND') },
      },
    },
    (request, reply) => {
      calls.stopRecording(accountId, request.params.name, request.params.recordingId);
      reply.code(202);
      return {};
    },
  );

  api.post(
    '/v1/connections/:connectionId/leave',
    {
      schema: {
        operationId: 'leaveConference',
        summary: 'Take a party out of its conference',
        description: 'Its call goes on with the next command of its routine.',
        tags: ['conferences'],
        params: z.object({ connectionId: identifierParameter('The call of the party.') }),
        response: { 200: nothing, ...errors(...keyed, 'NOT_FOUND') },
      },
    },
    (request) => {
      calls.leave(request.params.connectionId);
      return {};
    },
  );
}
