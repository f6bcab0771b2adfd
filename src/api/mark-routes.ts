import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { LiveCalls } from '../call/live-calls.ts';
import type { Recording } from '../database/schema.ts';
import type { RecordingMark } from '../render/recording-marks.ts';
import type { RenderPool } from '../worker/render-pool.ts';
import { errors } from './error-body.ts';
import { choice, flag, identifier, integer, text } from './fields.ts';
import { recordingParameter } from './recording-routes.ts';

export interface MarkRoutesOptions {
  calls: Pick<LiveCalls, 'settle'>;
  renders: Pick<RenderPool, 'recordingMarks'>;
  /** @throws CallreelError NOT_FOUND, RECORDING_ERASED */
  recordingOf(recordingId: string): Promise<Recording>;
}

const kinds = [
  'join',
  'leave',
  'pause',
  'gap',
  'concealed',
  'jump',
  'dtmf',
  'hold',
  'codec_change',
  'ssrc_change',
  'overflow',
] as const;

const markBody = z.object({
  kind: choice(
    kinds,
    '`join`, `leave`: of a party. `pause`: of the recording. `gap`: packets that never came (`loss`), or a party that ' +
      'sent nothing on purpose (`pause`). `concealed`: a loss so short that made-up audio stands in for it. `jump`: the ' +
      "party's time stood still or leapt, as on hold: silence of `duration_ms` lies before it. `dtmf`: a key. `hold`: the party put the call on hold, or was put on hold. " +
      '`codec_change`, `ssrc_change`: another form, another source. `overflow`: packets that could not be kept.',
  ),
  at_ms: integer('When, in ms since the conversation began.', 61_480),
  file_ms: integer('Where in a file of everybody, in ms from its beginning.', 61_080),
  duration_ms: integer('How long; null for what has no length, and for a pause that lasts.', 40).nullable(),
  channel_id: identifier("Whose; null for the recording's own.").nullable(),
  cause: choice(['loss', 'pause'], 'Of a gap; null for any other.').nullable(),
  behaviour: choice(['skip', 'silence', 'mask'], 'Of a pause; null for any other.').nullable(),
  digit: text('Of a key; null for any other.', '5').nullable(),
  codec: text('Of a change of codec: the new one; null for any other.', 'G722').nullable(),
  packets: integer('Of an overflow: how many; null for any other.', 12).nullable(),
});

const marksBody = z
  .object({
    recording_id: identifier('The recording.'),
    marks: z.array(markBody).meta({ description: 'By time; the first 10,000.' }),
    truncated: flag('There are more than these.', false),
  })
  .meta({ description: 'What happened in a recording, as far as it has come.' });

/** `/v1/recordings/{id}/marks`: what happened in it, for whoever shows or checks it. */
export function markRoutes(app: FastifyInstance, { calls, renders, recordingOf }: MarkRoutesOptions): void {
  app.withTypeProvider<ZodTypeProvider>().get(
    '/v1/recordings/:recordingId/marks',
    {
      schema: {
        operationId: 'listRecordingMarks',
        summary: 'What happened in a recording',
        description:
          'Who joined and left, pauses, gaps, keys, changes of codec, each at its sample. It is read from the audio: an ' +
          'hour of two parties takes about a second.',
        tags: ['recordings'],
        params: recordingParameter,
        response: {
          200: marksBody,
          ...errors('NOT_FOUND', 'RECORDING_ERASED', 'RENDER_FAILED', 'SPOOL_CORRUPT'),
        },
      },
    },
    async ({ params: { recordingId } }) => {
      const { conversationId } = await recordingOf(recordingId);
      await calls.settle(conversationId);
      const { rateHz, marks, isTruncated } = await renders.recordingMarks(conversationId, recordingId);
      const toMs = (samples: number): number => Math.round((samples * 1000) / rateHz);
      return {
        recording_id: recordingId,
        marks: marks.map((mark) => toMark(mark, toMs)),
        truncated: isTruncated,
      };
    },
  );
}

function toMark(mark: RecordingMark, toMs: (samples: number) => number): z.output<typeof markBody> {
  return {
    kind: kindOf(mark),
    at_ms: toMs(mark.atSample),
    file_ms: toMs(mark.fileSample),
    duration_ms: 'samples' in mark && mark.samples !== undefined ? toMs(mark.samples) : null,
    channel_id: 'trackId' in mark ? mark.trackId : null,
    cause: mark.kind === 'gap' ? mark.cause : null,
    behaviour: mark.kind === 'pause' ? mark.behaviour : null,
    digit: mark.kind === 'dtmf' ? mark.digit : null,
    codec: mark.kind === 'codec-change' ? mark.codec : null,
    packets: mark.kind === 'overflow' ? mark.packets : null,
  };
}

function kindOf({ kind }: RecordingMark): (typeof kinds)[number] {
  if (kind === 'codec-change') return 'codec_change';
  return kind === 'ssrc-change' ? 'ssrc_change' : kind;
}
