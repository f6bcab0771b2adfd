import type { ColumnType, Selectable } from 'kysely';

export type TranscriptState = 'waiting' | 'running' | 'failing' | 'done' | 'dead' | 'abandoned';

/** What was said in a recording, and the job that makes it and brings its file to where the recording's is. */
export interface TranscriptTable {
  recordingId: string;
  conversationId: string;
  accountId: string;
  /** Which node has the spool. */
  node: string;
  /** As the application wrote it. */
  locale: string;
  state: TranscriptState;
  createdAt: Date;
  /** Since when it is tried: the end of the recording, and then the time at which the text was there. */
  queuedAt: Date | null;
  /** Since `queuedAt`. */
  attempts: number;
  nextAttemptAt: Date | null;
  /** Of the last try that failed. */
  errorCode: string | null;
  errorMessage: string | null;
  /** `transcription/transcript`; null before it is made, and once it was erased. */
  transcript: ColumnType<unknown, unknown, unknown>;
  /** All that was said; what is searched. */
  text: string | null;
  /** Of its file, once it is delivered: full name of the object, its URL, and its length. */
  key: string | null;
  destination: string | null;
  bytes: number | null;
  deliveredAt: Date | null;
}

export type TranscriptRow = Selectable<TranscriptTable>;
