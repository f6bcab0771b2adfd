import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { listChannelsOfRecording } from '../database/channels.ts';
import { getRecording, pageRecordings } from '../database/recordings.ts';
import type { Channel, Db, Recording } from '../database/schema.ts';
import { CallreelError } from '../errors.ts';
import type { LegReport } from '../media/control.ts';
import { listBody, listOf, listQuery, listRequest } from './list-query.ts';
import { stayMediaBody, toStayMedia } from './media-body.ts';
import type { MediaUrl } from './media-url.ts';

export interface RecordingRoutesOptions {
  accountId: string;
  db: Db;
  mediaUrl: MediaUrl;
}

const list = 'recordings';
const files = z.object({ wav_file: z.string(), mp3_file: z.string() });
const recordingBody = z.object({
  recording_id: z.string(),
  conversation_id: z.string(),
  state: z.enum(['recording', 'ended']),
  /** Why it ended; null while it goes on. */
  reason: z.string().nullable(),
  rate_hz: z.int(),
  started_at: z.string(),
  ended_at: z.string().nullable(),
  duration_ms: z.int().nullable(),
});
const channelBody = z.object({
  channel_id: z.string(),
  connection_id: z.string(),
  from: z.string(),
  to: z.string(),
  direction: z.string(),
  start_ms: z.int(),
  end_ms: z.int().nullable(),
  /** Not one packet of this party was recorded; null while the recording goes on. */
  no_media: z.boolean().nullable(),
  /** Loss, jitter and codecs of this stay; null while the recording goes on, and where a crash lost them. */
  media: stayMediaBody.nullable(),
  ...files.shape,
});
const wholeBody = z.object({ ...recordingBody.shape, mix: files, channels: z.array(channelBody) });

function toBody(row: Recording): z.output<typeof recordingBody> {
  const { startSample, endSample, rateHz } = row;
  return {
    recording_id: row.recordingId,
    conversation_id: row.conversationId,
    state: row.state,
    reason: row.reason,
    rate_hz: rateHz,
    started_at: row.startedAt.toISOString(),
    ended_at: row.endedAt?.toISOString() ?? null,
    duration_ms: endSample === null ? null : Math.round(((endSample - startSample) * 1000) / rateHz),
  };
}

function toChannel(row: Channel, recording: Recording, mediaUrl: MediaUrl): z.output<typeof channelBody> {
  const { recordingId, channelId } = row;
  const toSample = (atMs: number) =>
    Math.round(((row.startMs + atMs) * recording.rateHz) / 1000) - recording.startSample;
  return {
    channel_id: channelId,
    connection_id: row.connectionId,
    from: row.from,
    to: row.to,
    direction: row.direction,
    start_ms: row.startMs,
    end_ms: row.endMs,
    no_media: row.noMedia,
    media: row.media ? toStayMedia(row.media as LegReport, toSample) : null,
    wav_file: mediaUrl(recordingId, channelId, 'wav'),
    mp3_file: mediaUrl(recordingId, channelId, 'mp3'),
  };
}

/** `/v1/recordings`: what is on record, with signed links to its files. */
export function recordingRoutes(app: FastifyInstance, options: RecordingRoutesOptions): void {
  const { accountId, db, mediaUrl } = options;
  const api = app.withTypeProvider<ZodTypeProvider>();

  api.get(
    '/v1/recordings',
    {
      schema: {
        querystring: z.object({
          ...listQuery,
          conversation_id: z.string().max(64).optional(),
          state: z.enum(['recording', 'ended']).optional(),
        }),
        response: { 200: listOf(recordingBody) },
      },
    },
    async ({ query }) => {
      const filter = { conversationId: query.conversation_id, state: query.state };
      return listBody(
        list,
        await pageRecordings(db, accountId, { ...listRequest(list, query), filter }),
        toBody,
      );
    },
  );

  api.get(
    '/v1/recordings/:recordingId',
    {
      schema: { params: z.object({ recordingId: z.string().max(64) }), response: { 200: wholeBody } },
    },
    async ({ params: { recordingId } }) => {
      const row = await getRecording(db, accountId, recordingId);
      if (!row) throw new CallreelError('NOT_FOUND', 'there is no such recording', { where: recordingId });
      const channels = await listChannelsOfRecording(db, recordingId);
      const mix = {
        wav_file: mediaUrl(recordingId, undefined, 'wav'),
        mp3_file: mediaUrl(recordingId, undefined, 'mp3'),
      };
      return { ...toBody(row), mix, channels: channels.map((channel) => toChannel(channel, row, mediaUrl)) };
    },
  );
}
