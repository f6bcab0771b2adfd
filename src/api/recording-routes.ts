import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { RecordingEraser } from '../call/recording-eraser.ts';
import { listChannelsOfRecording } from '../database/channels.ts';
import { pageRecordings } from '../database/recordings.ts';
import type { Db, Recording } from '../database/schema.ts';
import { errors, keyed } from './error-body.ts';
import { identifierParameter, momentParameter } from './fields.ts';
import { listBody, listOf, listQuery, listRequest } from './list-query.ts';
import type { MediaUrl } from './media-url.ts';
import {
  recordingBody,
  toRecordingBody,
  toWholeRecordingBody,
  wholeRecordingBody,
} from './recording-body.ts';

export interface RecordingRoutesOptions {
  accountId: string;
  db: Db;
  mediaUrl: MediaUrl;
  eraser: Pick<RecordingEraser, 'erase' | 'withdraw'>;
  /** @throws CallreelError NOT_FOUND, RECORDING_ERASED */
  recordingOf(recordingId: string): Promise<Recording>;
}

const list = 'recordings';
export const recordingParameter = z.object({ recordingId: identifierParameter('The recording.') });
const filters = z.strictObject({
  ...listQuery,
  started_from: momentParameter('Only what began then or later.').optional(),
  started_to: momentParameter('Only what began then or before.').optional(),
  state: recordingBody.shape.state.meta({ description: 'Only those.' }).optional(),
  conversation_id: identifierParameter('Only of this conversation.').optional(),
  party: z
    .string()
    .min(1)
    .max(500)
    .meta({
      description:
        'Only with a channel whose `from` or `to` is this, as it is written there. Of recordings that ended.',
      examples: ['+15558881188'],
    })
    .optional(),
  erased: z
    .enum(['false', 'true', 'any'])
    .default('false')
    .meta({ description: 'Those that are there, those that were erased, or both.', examples: ['false'] }),
});

function filterOf(query: z.output<typeof filters>) {
  const moment = (text: string | undefined) => (text === undefined ? undefined : new Date(text));
  return {
    conversationId: query.conversation_id,
    state: query.state,
    startedFrom: moment(query.started_from),
    startedTo: moment(query.started_to),
    party: query.party,
    erased: query.erased === 'any' ? undefined : query.erased === 'true',
  };
}

/** `/v1/recordings`: what is on record, with signed links to its files, and erasing it. */
export function recordingRoutes(app: FastifyInstance, options: RecordingRoutesOptions): void {
  const { accountId, db, mediaUrl, eraser, recordingOf } = options;
  const api = app.withTypeProvider<ZodTypeProvider>();

  api.get(
    '/v1/recordings',
    {
      schema: {
        operationId: 'listRecordings',
        summary: 'Recordings, the latest first',
        tags: ['recordings'],
        querystring: filters,
        response: { 200: listOf(recordingBody), ...errors() },
      },
    },
    async ({ query }) => {
      const request = { ...listRequest(list, query), filter: filterOf(query) };
      return listBody(list, await pageRecordings(db, accountId, request), (row) =>
        toRecordingBody(row, mediaUrl),
      );
    },
  );

  api.get(
    '/v1/recordings/:recordingId',
    {
      schema: {
        operationId: 'getRecording',
        summary: 'One recording with its channels and files',
        tags: ['recordings'],
        params: recordingParameter,
        response: { 200: wholeRecordingBody, ...errors('NOT_FOUND', 'RECORDING_ERASED') },
      },
    },
    async ({ params: { recordingId } }) => {
      const row = await recordingOf(recordingId);
      return toWholeRecordingBody(row, await listChannelsOfRecording(db, recordingId), mediaUrl);
    },
  );

  api.delete(
    '/v1/recordings/:recordingId',
    {
      schema: {
        operationId: 'eraseRecording',
        summary: 'Erase a recording',
        description:
          'Its audio and its keys are gone when this answers, and nothing can bring them back. Other recordings of ' +
          'the same conversation stay whole. That it was there is still listed, with `erased=true`. To erase it once ' +
          'more is `RECORDING_ERASED`; before its conversation has ended it is `CONFLICT`.',
        tags: ['recordings'],
        params: recordingParameter,
        response: {
          204: z.undefined().meta({ description: 'It is erased.' }),
          ...errors(...keyed, 'NOT_FOUND', 'RECORDING_ERASED', 'CONFLICT'),
        },
      },
    },
    async ({ params: { recordingId } }, reply) => {
      await recordingOf(recordingId);
      await eraser.erase(accountId, recordingId);
      return reply.code(204).send();
    },
  );
}
