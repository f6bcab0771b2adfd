import type { AudioFileFormat } from '../container/audio-file.ts';
import type { CallreelError } from '../errors.ts';

/** A recording's file as it is wanted; plain data for the file thread. */
export interface FileOrder {
  conversationId: string;
  recordingId: string;
  /** Absolute. */
  path: string;
  format: AudioFileFormat;
  /** Left and right instead of the mix. */
  stereo: boolean;
}

export type FileCommand = { id: number } & (
  | { verb: 'follow'; order: FileOrder }
  /** Appends to those that are followed what is new; their conversations were settled just before. */
  | { verb: 'step'; recordingIds: string[] }
  /** The recording has ended: its file becomes whole, whatever there is of it. */
  | { verb: 'complete'; order: FileOrder }
  /** Nothing is written to it any more. */
  | { verb: 'abandon'; recordingId: string }
);

export interface FileFailure {
  recordingId: string;
  error: ReturnType<CallreelError['toJSON']>;
}

/** What came of a step. */
export interface FileStep {
  /** Those that are followed no more. */
  failures: FileFailure[];
  /** Of each recording that was asked for, how many channels are read along for it. */
  channels: number[];
}

export type FileReply = { id: number } & (
  | { reply: 'done'; step?: FileStep }
  | { reply: 'error'; error: ReturnType<CallreelError['toJSON']> }
);
