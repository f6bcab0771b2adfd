import type { CallreelError } from '../errors.ts';
import type { ChannelFigures } from '../quality/channel-figures.ts';
import type { QualityFigures } from '../quality/quality-meter.ts';

/** A recording that is to be measured; plain data for the quality thread. */
export interface QualityOrder {
  conversationId: string;
  recordingId: string;
}

export interface MeasuredRecording {
  mix: QualityFigures;
  /** By the id of the track; while the recording goes on without those that had no sample yet. */
  channels: Record<string, ChannelFigures>;
}

/** What is known of recordings that go on, by their ids: of those of which a few seconds more would change nothing. */
export type SettledFigures = Record<string, MeasuredRecording>;

export type QualityCommand = { id: number } & (
  | { verb: 'follow'; order: QualityOrder }
  /** Measures what is new; their conversations were settled just before. Answered by what is settled by now. */
  | { verb: 'step'; recordingIds: string[] }
  /** The recording has ended: its figures, whether or not it was followed. */
  | { verb: 'measure'; order: QualityOrder }
  | { verb: 'drop'; recordingId: string }
);

export type QualityReply = { id: number } & (
  | { reply: 'done'; measured?: MeasuredRecording | undefined; settled?: SettledFigures | undefined }
  | { reply: 'error'; error: ReturnType<CallreelError['toJSON']> }
);
