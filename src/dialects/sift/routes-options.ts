import type { Conversations } from '../../call/conversations.ts';
import type { Db } from '../../database/schema.ts';
import type { Transcripts } from '../../transcripts/transcripts.ts';

/** Makes the signed URL of one file of a recording; without a track, the mix from the start of the conversation on. */
export type MediaUrl = (
  recordingId: string,
  trackId: string | undefined,
  format: 'wav' | 'mp3',
  mixBegins: 'conversation',
) => string;

export interface SiftRoutesOptions {
  accountId: string;
  db: Db;
  conversations: Conversations;
  transcripts: Pick<Transcripts, 'want'>;
  mediaUrl: MediaUrl;
  /** Base of the links to other pages; known once the server listens. */
  publicUrl(): string;
}
