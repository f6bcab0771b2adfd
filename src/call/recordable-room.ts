import type { CallCapture } from '../media/control.ts';
import type { MediaWorker } from '../worker/media-worker.ts';
import type { Recording, RecordingWishes } from './recording.ts';

/** What is recorded: a conference, or one call by itself. */
export interface RecordableRoom {
  readonly conversationId: string;
  readonly accountId: string;
  /** Empty where nobody joins it by name. */
  readonly name: string;
  readonly dialect: string;
  readonly startedUnixMs: number;
  readonly worker: MediaWorker;
  readonly eventCallbacks: ReadonlySet<string>;
  readonly members: readonly { connectionId: string }[];
  readonly recordings: readonly Recording[];
}

/** Makes a room's recordings. */
export interface RecordingMaker {
  /** @throws CallreelError CONFLICT for a control id that runs, TOO_MANY_RECORDINGS */
  create(room: RecordableRoom, wishes: RecordingWishes, call?: CallCapture): Recording;
  /** One that runs is to be transcribed; one that was to be already stays as it is. */
  transcribe?(recording: Recording, wish: NonNullable<RecordingWishes['transcription']>): void;
}
