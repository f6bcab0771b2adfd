import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { ConversationState, RecordingState } from '../../call/conversations.ts';
import { defaultLocale } from '../../call/transcript-wish.ts';
import { pageConversations } from '../../database/conversations.ts';
import type { TranscriptRow } from '../../database/transcript-table.ts';
import { getTranscript } from '../../database/transcripts.ts';
import { CallreelError } from '../../errors.ts';
import type { Transcript } from '../../transcription/transcript.ts';
import { type ConversationTranscript, type ConversationView, conversationBody } from './conversation.ts';
import { moment, pageBody, pageQuery, pageRequest } from './pages.ts';
import { boundProcessors, processors } from './processors.ts';
import type { MediaUrl, SiftRoutesOptions } from './routes-options.ts';

const list = 'conversations';

const conversationsQuery = z.object({
  ...pageQuery,
  status: z.enum(['active', 'ended']).optional(),
  conference_name: z.string().max(200).optional(),
  min_created: moment.optional(),
  max_created: moment.optional(),
});

/** `/v0/conversations`, each with its audio and channels. */
export function conversationRoutes(app: FastifyInstance, options: SiftRoutesOptions): void {
  const { accountId, db, conversations, transcripts, mediaUrl, publicUrl } = options;
  const api = app.withTypeProvider<ZodTypeProvider>();
  const body = async (conversationId: string) => {
    const state = await conversations.get(accountId, conversationId);
    const [recording] = state.recordings;
    const transcript = recording && (await getTranscript(db, recording.recordingId));
    return conversationBody({
      ...conversationView(state, mediaUrl),
      transcript: transcript && transcriptView(transcript, recording),
    });
  };

  api.get('/v0/conversations', { schema: { querystring: conversationsQuery } }, async ({ query, url }) => {
    const { status, conference_name: conferenceName, min_created, max_created } = query;
    const filter = { status, conferenceName, minCreated: min_created, maxCreated: max_created };
    const page = await pageConversations(db, accountId, { ...pageRequest(list, query), filter });
    const results: unknown[] = [];
    for (const { conversationId } of page.rows) results.push(await body(conversationId));
    return pageBody(list, page, results, { publicUrl: publicUrl(), url });
  });

  api.get(
    '/v0/conversations/:conversationId',
    { schema: { params: z.object({ conversationId: z.string().max(64) }) } },
    ({ params }) => body(params.conversationId),
  );

  api.post(
    '/v0/conversations/:conversationId/process',
    { schema: { params: z.object({ conversationId: z.string().max(64) }), body: z.object({ processors }) } },
    async ({ params: { conversationId }, body: { processors: wanted } }) => {
      const { recordings } = await conversations.get(accountId, conversationId);
      const { transcribes, missing } = boundProcessors(wanted);
      if (missing.length > 0)
        throw new CallreelError('REQUEST_INVALID', `there is no processor ${missing[0]} in this version`, {
          where: 'body.processors',
        });
      if (transcribes) {
        const [recording] = recordings;
        if (!recording)
          throw new CallreelError('CONFLICT', 'nothing was recorded of the conversation', {
            where: conversationId,
          });
        await transcripts.want(accountId, recording.recordingId, defaultLocale);
      }
      return await body(conversationId);
    },
  );
}

/**
 * Sift knows one recording of a conversation: the first. Its mix begins with the conversation, so that channels lie on
 * it by their `start_ms` however late the recording began.
 */
function conversationView(
  state: ConversationState,
  mediaUrl: MediaUrl,
): Omit<ConversationView, 'transcript'> {
  const [recording] = state.recordings;
  return {
    ...state,
    audio: recording && audioOf(recording, undefined, recording.endMs, recording.quality, mediaUrl),
    channels: (recording?.channels ?? []).map((channel) => ({
      ...channel,
      audio: audioOf(recording!, channel.trackId, channel.durationMs, channel.quality, mediaUrl),
    })),
  };
}

function transcriptView(
  { state, transcript, errorCode, errorMessage }: TranscriptRow,
  { startMs, channels }: RecordingState,
): ConversationTranscript {
  const connections = new Map(channels.map(({ trackId, connectionId }) => [trackId, connectionId]));
  return {
    ...{ state, startMs, connectionOf: (channelId) => connections.get(channelId) },
    error: errorCode === null ? undefined : { code: errorCode, message: errorMessage ?? '' },
    transcript: (transcript as Transcript | null) ?? undefined,
  };
}

function audioOf(
  { recordingId }: RecordingState,
  trackId: string | undefined,
  durationMs: number,
  quality: RecordingState['quality'],
  mediaUrl: MediaUrl,
): ConversationView['audio'] & object {
  return {
    durationMs,
    quality,
    wavUrl: mediaUrl(recordingId, trackId, 'wav', 'conversation'),
    mp3Url: mediaUrl(recordingId, trackId, 'mp3', 'conversation'),
  };
}
