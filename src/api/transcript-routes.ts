import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Db, Recording } from '../database/schema.ts';
import { getTranscript, searchTranscripts } from '../database/transcripts.ts';
import { CallreelError } from '../errors.ts';
import type { Transcript } from '../transcription/transcript.ts';
import { transcriptLines } from '../transcription/transcript-lines.ts';
import { errors } from './error-body.ts';
import { choice, identifier, identifierParameter, integer, moment, text } from './fields.ts';

export interface TranscriptRoutesOptions {
  accountId: string;
  db: Db;
  /** @throws CallreelError NOT_FOUND, RECORDING_ERASED */
  recordingOf(recordingId: string): Promise<Recording>;
}

const maxMatches = 100;
const speaker = text('Who: numbered in the order of their legs.', 'Speaker 1');
const transcriptBody = z
  .object({
    recording_id: identifier('The recording.'),
    state: choice(
      ['waiting', 'running', 'failing', 'done', 'dead', 'abandoned'],
      'What is done about it: it waits, is made or delivered, failed and is tried again, is there, was given up; ' +
        'or there was nothing to hear.',
    ),
    locale: text('In which it was wanted.', 'en-US'),
    engine: text(
      'The engine and its model; null before it is made.',
      'embedded moonshine-base-en',
    ).nullable(),
    text: text('All that was said; null before it is made.', 'Hello? This is Ann.').nullable(),
    lines: z
      .array(
        z.object({
          speaker_label: speaker,
          start_ms: integer('Where it begins in the file of the recording, in ms.', 1020),
          end_ms: integer('Where it ends, in ms.', 2480),
          text: text('What was said.', 'Hello? This is Ann.'),
        }),
      )
      .meta({ description: 'What each said, by time.' }),
    marks: z
      .array(
        z.object({
          kind: choice(
            ['pause', 'hold', 'dtmf', 'unrecognized'],
            'The recording was paused; the speaker held the call or was held; pressed a key; or said what was not ' +
              'understood.',
          ),
          speaker_label: speaker.nullable(),
          digit: text('The key; null of what is no key.', '5').nullable(),
          start_ms: integer('Where it begins in the file of the recording, in ms.', 1020),
          end_ms: integer('Where it ends, in ms; of a key the same.', 1020),
        }),
      )
      .meta({ description: 'What else happened, by time.' }),
    destination: text(
      'URL of its file, once it is delivered.',
      's3://bucket/file-transcript.json',
    ).nullable(),
    attempts: integer('Tries of what it is at.', 1),
    error: z
      .object({
        code: text('Our code.', 'TRANSCRIPTION_UNAVAILABLE'),
        message: text('What went wrong.', 'the server does not answer'),
      })
      .nullable()
      .meta({ description: 'Of the last try that failed.', examples: [null] }),
  })
  .meta({ description: 'The transcript, as far as it is made.' });
const matchesBody = z
  .object({
    transcripts: z.array(
      z.object({
        recording_id: identifier('The recording.'),
        conversation_id: identifier('Its conversation.'),
        started_at: moment('When it began.'),
        hits: z
          .array(
            z.object({
              offset_ms: integer('Where in the file of the recording, in ms.', 1020),
              speaker_label: speaker,
              text: text('What was said there.', 'Hello? This is Ann.'),
            }),
          )
          .meta({ description: 'Where any of the words was said; at most 100.' }),
      }),
    ),
  })
  .meta({ description: 'The recordings in which it was said, the latest first.' });

/** `/v1/recordings/{id}/transcript` and `/v1/transcripts`: what was said, and where. */
export function transcriptRoutes(app: FastifyInstance, options: TranscriptRoutesOptions): void {
  const { accountId, db, recordingOf } = options;
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
      const transcript = row.transcript as Transcript | null;
      const { state, locale, destination, attempts, errorCode: code, errorMessage } = row;
      return {
        ...{ recording_id: recordingId, state, locale, destination, attempts },
        engine: transcript?.engine ?? null,
        text: transcript && row.text,
        lines: transcript ? linesOf(transcript) : [],
        marks: transcript ? marksOf(transcript) : [],
        error: code === null ? null : { code, message: errorMessage ?? '' },
      };
    },
  );

  api.get(
    '/v1/transcripts',
    {
      schema: {
        operationId: 'searchTranscripts',
        summary: 'In which recordings something was said, and where',
        tags: ['recordings'],
        querystring: z.strictObject({
          q: z
            .string()
            .min(1)
            .max(500)
            .meta({
              description:
                'Words that are all there, `"a phrase"`, `or`, `-without`; as they were said, without stemming.',
              examples: ['refund'],
            }),
          limit: z.coerce
            .number<string>()
            .int()
            .min(1)
            .max(maxMatches)
            .default(20)
            .meta({ description: `At most so many recordings; up to ${maxMatches}.`, examples: [20] }),
        }),
        response: { 200: matchesBody, ...errors() },
      },
    },
    async ({ query: { q, limit } }) => {
      const found = await searchTranscripts(db, accountId, { words: q.replaceAll('\0', ' '), limit });
      return {
        transcripts: found.map(({ recordingId, conversationId, createdAt, hits }) => ({
          ...{ recording_id: recordingId, conversation_id: conversationId },
          started_at: createdAt.toISOString(),
          hits: hits.map((hit) => ({
            ...{
              offset_ms: toMs(hit.fromSample, hit.rateHz),
              speaker_label: hit.speakerLabel,
              text: hit.text,
            },
          })),
        })),
      };
    },
  );
}

function linesOf(transcript: Transcript): z.output<typeof transcriptBody>['lines'] {
  const { channels, rateHz } = transcript;
  return transcriptLines(transcript).map(({ channel, fromSample, toSample, text: said }) => ({
    speaker_label: channels[channel]!.speakerLabel,
    start_ms: toMs(fromSample, rateHz),
    end_ms: toMs(toSample, rateHz),
    text: said,
  }));
}

function marksOf({ channels, marks, rateHz }: Transcript): z.output<typeof transcriptBody>['marks'] {
  return marks.map((mark) => ({
    kind: mark.kind,
    speaker_label: 'channel' in mark ? channels[mark.channel]!.speakerLabel : null,
    digit: mark.kind === 'dtmf' ? mark.digit : null,
    start_ms: toMs(mark.fromSample, rateHz),
    end_ms: toMs(mark.toSample, rateHz),
  }));
}

function toMs(sample: number, rateHz: number): number {
  return Math.round((sample * 1000) / rateHz);
}
