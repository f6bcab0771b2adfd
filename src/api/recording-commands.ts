import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { LiveCalls } from '../call/live-calls.ts';
import type { Recording } from '../call/recording.ts';
import type { RecordingEraser } from '../call/recording-eraser.ts';
import { type Clock, sleep } from '../clock.ts';
import type { Recording as RecordingRow } from '../database/schema.ts';
import { CallreelError } from '../errors.ts';
import { newId } from '../ids.ts';
import { maxTimerMs } from '../media/recorder-options.ts';
import { type DestinationRules, deliveryWish } from './destination-input.ts';
import { errors, keyed } from './error-body.ts';
import { identifier, identifierParameter, integer } from './fields.ts';
import type { MediaUrl } from './media-url.ts';
import { recordingBody, toRecordingBody } from './recording-body.ts';
import { pauseInput, recordingInput, wishesOf } from './recording-input.ts';

export interface RecordingCommandOptions {
  accountId: string;
  clock: Clock;
  calls: LiveCalls;
  eraser: Pick<RecordingEraser, 'erase' | 'withdraw'>;
  mediaUrl: MediaUrl;
  destinations: DestinationRules;
  /** @throws CallreelError NOT_FOUND, RECORDING_ERASED */
  recordingOf(recordingId: string): Promise<RecordingRow>;
}

/** So long a stop waits for the disk and the directory. */
const maxStopMs = 10_000;

const recordingParameter = z.object({ recordingId: identifierParameter('The recording.') });
const stopped = recordingBody.meta({ description: 'It has ended: its files are whole.' });
const stopping = recordingBody.meta({ description: 'It ends; its files are not whole yet.' });
const length = (description: string, example: number) =>
  integer(description, example).min(0).max(maxTimerMs).optional();
const consentInput = z
  .strictObject({
    method: z
      .string()
      .min(1)
      .max(64)
      .meta({
        description: 'How it was given; `voice` keeps what was said before (`keep_consent_clip`).',
        examples: ['voice'],
      }),
    who: z
      .string()
      .min(1)
      .max(256)
      .meta({ description: 'Who gave it.', examples: ['+15558881188'] }),
    connection_id: identifier(
      'Whose consent it is: a party of the recording. Without it that of everybody who is in it now.',
    )
      .min(1)
      .max(64)
      .optional(),
    audio_offset_ms: length('Where in the audio it was given, in ms; unless given, now.', 4200),
    notice_ms: length(
      'How much of your own notice the party heard, in ms; of a notice of the recording it is counted.',
      3800,
    ),
  })
  .meta({ description: 'Kept with the recording.' });

/** Starting, stopping, pausing and resuming recordings, and consent to them. */
export function recordingCommands(app: FastifyInstance, options: RecordingCommandOptions): void {
  const { calls, clock, accountId, eraser, mediaUrl, destinations, recordingOf } = options;
  const api = app.withTypeProvider<ZodTypeProvider>();

  api.post(
    '/v1/connections/:connectionId/recordings',
    {
      schema: {
        operationId: 'recordCall',
        summary: 'Record one call by itself',
        description:
          'What the party says and what it hears, prompts included, wherever the call is and goes, until it is ' +
          'stopped, ends by itself, or the call ends. Any number of them run at once.',
        tags: ['calls', 'recordings'],
        params: z.object({ connectionId: identifierParameter('The call.') }),
        body: recordingInput.optional(),
        response: {
          201: recordingBody.meta({ description: 'It runs.' }),
          ...errors(...keyed, 'NOT_FOUND', 'CONFLICT', 'DESTINATION_INVALID', 'DESTINATION_FORBIDDEN'),
        },
      },
    },
    async ({ params, body }, reply) => {
      const { connectionId } = params;
      const ids = { applicationKey: accountId, nameId: connectionId };
      const wishes = { ...wishesOf(body), ...deliveryWish(body, ids, destinations) };
      const recording = calls.recordCall(connectionId, wishes);
      await recording.whenTaken;
      reply.code(201);
      return await rowBody(recording);
    },
  );

  api.post(
    '/v1/recordings/:recordingId/stop',
    {
      schema: {
        operationId: 'endRecording',
        summary: 'Stop a recording',
        description:
          'Answers when its files are whole; 202 where that takes longer than 10 s. One that has ended stays as it is.',
        tags: ['recordings'],
        params: recordingParameter,
        response: { 200: stopped, 202: stopping, ...errors(...keyed, 'NOT_FOUND', 'RECORDING_ERASED') },
      },
    },
    async ({ params: { recordingId } }, reply) => {
      const row = await recordingOf(recordingId);
      const recording = calls.recording(recordingId);
      if (recording) {
        recording.stop();
        await Promise.race([recording.whenWritten, sleep(clock, maxStopMs)]);
      }
      const now = recording ? await recordingOf(recordingId) : row;
      reply.code(now.state === 'ended' ? 200 : 202);
      return toRecordingBody(now, mediaUrl);
    },
  );

  api.post(
    '/v1/recordings/:recordingId/pause',
    {
      schema: {
        operationId: 'pauseRecording',
        summary: 'Pause a recording',
        description: 'From here on nothing of it is written anywhere. One that is paused stays so.',
        tags: ['recordings'],
        params: recordingParameter,
        body: pauseInput,
        response: {
          200: recordingBody.meta({ description: 'It is paused.' }),
          ...errors(...keyed, 'NOT_FOUND', 'RECORDING_ERASED', 'CONFLICT'),
        },
      },
    },
    async ({ params: { recordingId }, body }) => {
      const recording = await running(recordingId);
      await recording.pause(body?.behaviour ?? 'skip', body?.scope ?? 'recording');
      return await rowBody(recording);
    },
  );

  api.post(
    '/v1/recordings/:recordingId/resume',
    {
      schema: {
        operationId: 'resumeRecording',
        summary: 'Resume a recording',
        description: 'Ends its pause, and that of the calls where it asked for one.',
        tags: ['recordings'],
        params: recordingParameter,
        response: {
          200: recordingBody.meta({ description: 'It records.' }),
          ...errors(...keyed, 'NOT_FOUND', 'RECORDING_ERASED', 'CONFLICT'),
        },
      },
    },
    async ({ params: { recordingId } }) => {
      const recording = await running(recordingId);
      await recording.resume();
      return await rowBody(recording);
    },
  );

  api.post(
    '/v1/recordings/:recordingId/consent',
    {
      schema: {
        operationId: 'giveConsent',
        summary: 'Consent to a recording',
        description:
          'Keeps who consented, when and how with the recording. One that waits for it (`consent: required`) begins, and ' +
          'has those whose consent it is: nothing of any other party, nor of who comes later, before theirs.',
        tags: ['recordings'],
        params: recordingParameter,
        body: consentInput,
        response: {
          200: recordingBody.meta({ description: 'Consent is on record.' }),
          ...errors(...keyed, 'NOT_FOUND', 'RECORDING_ERASED', 'CONFLICT'),
        },
      },
    },
    async ({ params: { recordingId }, body }) => {
      const recording = await running(recordingId);
      const { method, who, connection_id, audio_offset_ms, notice_ms } = body;
      await calls.consent(recording, {
        consentId: newId(),
        ...{ method, who, at: new Date(clock.unixMs()).toISOString() },
        ...{ connectionId: connection_id, audioOffsetMs: audio_offset_ms, noticeMs: notice_ms },
      });
      return await rowBody(recording);
    },
  );

  api.delete(
    '/v1/recordings/:recordingId/consent',
    {
      schema: {
        operationId: 'withdrawConsent',
        summary: 'Withdraw consent to a recording',
        description: 'It ends, and what is on disk of it is erased before this answers.',
        tags: ['recordings'],
        params: recordingParameter,
        response: {
          204: z.undefined().meta({ description: 'Nothing of it is left.' }),
          ...errors(...keyed, 'NOT_FOUND', 'CONFLICT'),
        },
      },
    },
    async ({ params: { recordingId } }, reply) => {
      const recording = calls.recording(recordingId);
      try {
        await eraser.withdraw(accountId, recordingId);
      } finally {
        // Where the row can not be written its manifest says why it ended.
        recording?.stop('consent_withdrawn');
      }
      await Promise.race([recording?.whenWritten, sleep(clock, maxStopMs)]);
      await eraser.erase(accountId, recordingId);
      return reply.code(204).send();
    },
  );

  /** @throws CallreelError NOT_FOUND, RECORDING_ERASED, CONFLICT when it has ended */
  async function running(recordingId: string): Promise<Recording> {
    const recording = calls.recording(recordingId);
    if (recording?.running) return recording;
    await recordingOf(recordingId);
    throw new CallreelError('CONFLICT', 'the recording has ended', { where: recordingId });
  }

  /** Waits for the row, which follows at once. */
  async function rowBody(recording: Recording): Promise<z.output<typeof recordingBody>> {
    await calls.written(recording.conversationId);
    return toRecordingBody(await recordingOf(recording.recordingId), mediaUrl);
  }
}
