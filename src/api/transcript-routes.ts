import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { defaultLocale } from '../call/transcript-wish.ts';
import type { Db, Recording } from '../database/schema.ts';
import { pageTranscripts } from '../database/transcript-search.ts';
import { getTranscript } from '../database/transcripts.ts';
import { CallreelError } from '../errors.ts';
import { Secret } from '../secret.ts';
import type { Transcripts } from '../transcripts/transcripts.ts';
import { destinationCredentials } from './destination-input.ts';
import { errors, keyed } from './error-body.ts';
import { choice, identifierParameter } from './fields.ts';
import { listBody, listOf, listQuery, listRequest } from './list-query.ts';
import { localeInput } from './recording-input.ts';
import {
  listedTranscriptBody,
  toListedTranscriptBody,
  toTranscriptBody,
  transcriptBody,
  transcriptStates,
} from './transcript-body.ts';

export interface TranscriptRoutesOptions {
  accountId: string;
  db: Db;
  transcripts: Pick<Transcripts, 'transcribe'>;
  /** @throws CallreelError NOT_FOUND, RECORDING_ERASED */
  recordingOf(recordingId: string): Promise<Recording>;
}

const list = 'transcripts';
const wish = z.strictObject({
  locale: localeInput
    .optional()
    .meta({ description: 'Another language. Unless given, the one it had; at first en-US.' }),
  credentials: destinationCredentials
    .optional()
    .meta({ description: 'For its file, where those of the recording are not kept any more.' }),
});

/** `/v1/recordings/{id}/transcript` and `/v1/transcripts`: what was said, and where. */
export function transcriptRoutes(app: FastifyInstance, options: TranscriptRoutesOptions): void {
  const { accountId, db, transcripts, recordingOf } = options;
  const api = app.withTypeProvider<ZodTypeProvider>();

  api.get(
    '/v1/recordings/:recordingId/transcript',
    {
      schema: {
        operationId: 'getTranscript',
        summary: 'What was said in a recording',
        description: 'NOT_FOUND also for a recording that was started without `transcription`.',
        tags: ['recordings'],
        params: z.object({ recordingId: identifierParameter('The recording.') }),
        response: { 200: transcriptBody, ...errors('NOT_FOUND', 'RECORDING_ERASED') },
      },
    },
    async ({ params: { recordingId } }) => {
      await recordingOf(recordingId);
      const row = await getTranscript(db, recordingId);
      if (!row) throw new CallreelError('NOT_FOUND', 'no transcript was asked for', { where: recordingId });
      return toTranscriptBody(row);
    },
  );

  api.post(
    '/v1/recordings/:recordingId/transcribe',
    {
      schema: {
        operationId: 'transcribe',
        summary: 'Transcribe an ended recording, for the first time or once more',
        description:
          'At once, whatever became of it before. Where only the file failed, and in the same locale, only that is ' +
          'delivered; else the text that was there is gone. The file goes where that of the recording went: ' +
          'credentials are forgotten once both are delivered, or 30 days after they were given up; then they are needed.',
        tags: ['recordings'],
        params: z.object({ recordingId: identifierParameter('The recording.') }),
        body: wish.optional(),
        response: {
          202: transcriptBody,
          ...errors(...keyed, 'NOT_FOUND', 'CONFLICT', 'RECORDING_ERASED', 'DESTINATION_INVALID'),
        },
      },
    },
    async ({ params: { recordingId }, body: { locale: wanted, credentials } = {} }, reply) => {
      const recording = await recordingOf(recordingId);
      const isKnown = (await getTranscript(db, recordingId)) !== undefined;
      const row = await transcripts.transcribe(recording, {
        locale: wanted ?? (isKnown ? undefined : defaultLocale),
        credentials: credentials === undefined ? undefined : new Secret(credentials),
      });
      reply.code(202);
      return toTranscriptBody(row);
    },
  );

  api.get(
    '/v1/transcripts',
    {
      schema: {
        operationId: 'listTranscripts',
        summary: 'Transcripts, the latest first; in which recordings something was said, and where',
        description: 'With `state=dead` those that were given up and wait for `transcribe`.',
        tags: ['recordings'],
        querystring: z.strictObject({
          ...listQuery,
          state: choice(transcriptStates, 'Only those.').optional(),
          q: z
            .string()
            .min(1)
            .max(500)
            .meta({
              description:
                'Words that are all there, `"a phrase"`, `or`, `-without`; as they were said, without stemming.',
              examples: ['refund'],
            })
            .optional(),
        }),
        response: { 200: listOf(listedTranscriptBody), ...errors() },
      },
    },
    async ({ query }) => {
      const filter = { words: query.q, state: query.state };
      const page = await pageTranscripts(db, accountId, { ...listRequest(list, query), filter });
      return listBody(list, page, toListedTranscriptBody);
    },
  );
}
