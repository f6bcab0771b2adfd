import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { ConversationState, Conversations, RecordingState } from '../../call/conversations.ts';
import { type ConversationView, conversationBody } from './conversation.ts';

/** Makes the signed URL of one file of a recording; without a track, the mix. */
export type MediaUrl = (recordingId: string, trackId: string | undefined, format: 'wav' | 'mp3') => string;

export interface SiftRoutesOptions {
  accountId: string;
  conversations: Conversations;
  mediaUrl: MediaUrl;
}

/** Sift's REST API below `/v0`. Authentication is the surrounding plugin's. */
export function siftRoutes(app: FastifyInstance, options: SiftRoutesOptions): void {
  const { accountId, conversations, mediaUrl } = options;
  app
    .withTypeProvider<ZodTypeProvider>()
    .get(
      '/v0/conversations/:conversationId',
      { schema: { params: z.object({ conversationId: z.string().max(64) }) } },
      async (request) => {
        const state = await conversations.get(accountId, request.params.conversationId);
        return conversationBody(conversationView(state, mediaUrl));
      },
    );
}

/** Sift knows one recording of a conversation: the first. */
function conversationView(state: ConversationState, mediaUrl: MediaUrl): ConversationView {
  const [recording] = state.recordings;
  return {
    ...state,
    audio: recording && audioOf(recording, undefined, recording.durationMs, mediaUrl),
    channels: (recording?.channels ?? []).map((channel) => ({
      ...channel,
      audio: audioOf(recording!, channel.trackId, channel.durationMs, mediaUrl),
    })),
  };
}

function audioOf(
  { recordingId }: RecordingState,
  trackId: string | undefined,
  durationMs: number,
  mediaUrl: MediaUrl,
): ConversationView['audio'] & object {
  return {
    durationMs,
    wavUrl: mediaUrl(recordingId, trackId, 'wav'),
    mp3Url: mediaUrl(recordingId, trackId, 'mp3'),
  };
}
