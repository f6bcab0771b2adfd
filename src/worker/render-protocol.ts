import type { AudioFileFormat } from '../container/audio-file.ts';
import type { CallreelError } from '../errors.ts';
import type { RecordingMark } from '../render/recording-marks.ts';
import type { TrackMark } from '../render/track-marks.ts';

/** What a rendition is asked for by; plain data for the render thread. */
export interface RenditionRequest {
  conversationId: string;
  recordingId: string;
  kind: 'mix' | 'conversation' | 'left' | 'right' | 'stereo' | 'channel' | 'channels' | 'clip' | 'party';
  /** For `channel`, `clip` and `party`. */
  trackId: string | undefined;
  format: AudioFileFormat;
}

export interface RenditionHead {
  contentType: string;
  /** Exact; of a growing recording, what it held when it was opened. */
  byteLength: number;
  /** What the file begins with: all before its audio. */
  leadingBytes: Uint8Array;
  /** False while the recording still grows. */
  complete: boolean;
  /** For `channels`: whose voice each channel is, in their order. */
  trackIds?: readonly string[];
}

/** What happened in a recording, in order. */
export interface FoundMarks {
  rateHz: number;
  marks: RecordingMark[];
  /** There are more than these. */
  isTruncated: boolean;
}

export type RenderCommand =
  /** Answered by `marks`. */
  | { id: number; verb: 'marks'; conversationId: string; recordingId: string }
  | { id: number; verb: 'open'; request: RenditionRequest }
  /** As `open`, of a file that is not read here: nothing of it stays open. */
  | { id: number; verb: 'head'; request: RenditionRequest }
  /**
   * Bytes `first` to `last`, inclusive. Answered by one chunk; `next` asks for more.
   * With the `request` of a file that was not opened before.
   */
  | { id: number; verb: 'read'; first: number; last: number; request?: RenditionRequest }
  | { id: number; verb: 'next' }
  | { id: number; verb: 'release' }
  /** Answered by `recordingMarks`. */
  | { id: number; verb: 'recordingMarks'; conversationId: string; recordingId: string }
  /** The recording is erased: what is kept of it goes. Not answered. */
  | { id: number; verb: 'forget'; recordingId: string };

export type RenderReply =
  | { id: number; reply: 'head'; head: RenditionHead }
  | { id: number; reply: 'chunk'; chunk: Uint8Array }
  | { id: number; reply: 'marks'; marks: TrackMark[] }
  | { id: number; reply: 'done' }
  | { id: number; reply: 'recordingMarks'; found: FoundMarks }
  | { id: number; reply: 'error'; error: ReturnType<CallreelError['toJSON']> };
