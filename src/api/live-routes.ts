import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { LiveCalls } from '../call/live-calls.ts';

export interface LiveRoutesOptions {
  accountId: string;
  calls: LiveCalls;
}

const conference = z.object({
  name: z.string(),
  conversation_id: z.string(),
  recording: z.boolean(),
  participants: z.array(z.object({ connection_id: z.string(), channel_id: z.string() })),
});

/** The native API of what lives right now. Authentication is the surrounding plugin's. */
export function liveRoutes(app: FastifyInstance, { accountId, calls }: LiveRoutesOptions): void {
  const api = app.withTypeProvider<ZodTypeProvider>();

  api.get(
    '/v1/conferences',
    { schema: { response: { 200: z.object({ conferences: z.array(conference) }) } } },
    () => ({
      conferences: calls.conferences.map((room) => ({
        name: room.name,
        conversation_id: room.conversationId,
        recording: room.recordings.some((recording) => recording.running),
        participants: room.members.map(({ connectionId, trackId }) => ({
          connection_id: connectionId,
          channel_id: trackId,
        })),
      })),
    }),
  );

  api.post(
    '/v1/conferences/:name/recordings',
    {
      schema: {
        params: z.object({ name: z.string() }),
        response: { 201: z.object({ recording_id: z.string() }) },
      },
    },
    (request, reply) => {
      const recording = calls.startRecording(accountId, request.params.name);
      reply.code(201);
      return { recording_id: recording.recordingId };
    },
  );

  api.post(
    '/v1/conferences/:name/recordings/:recordingId/stop',
    {
      schema: {
        params: z.object({ name: z.string(), recordingId: z.string() }),
        response: { 202: z.object({}) },
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
    { schema: { params: z.object({ connectionId: z.string() }), response: { 200: z.object({}) } } },
    (request) => {
      calls.leave(request.params.connectionId);
      return {};
    },
  );
}
