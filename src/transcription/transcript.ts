import type { SpokenText, TextSpan } from './spoken-text.ts';

/** What else happened while they spoke; samples on the recording's clock. */
export type TranscriptMark =
  | (TextSpan & { kind: 'pause' })
  | (TextSpan & { kind: 'hold' | 'unrecognized'; channel: number })
  | (TextSpan & { kind: 'dtmf'; channel: number; digit: string });

/** Something one party said without a longer pause; samples on the recording's clock. */
export interface Utterance extends SpokenText {
  /** Index of `Transcript.channels`. */
  channel: number;
}

export interface TranscriptChannel {
  /** `Speaker N`, in the order of the legs. */
  speakerLabel: string;
  /** Whose audio it is, as the caller of the engine named it. */
  id: string;
  /** Where the channel begins on the recording's clock. */
  startSample: number;
}

/** Our own form, which keeps everything; vendors' files are made of it. Stored as JSON. */
export interface Transcript {
  version: 1;
  locale: string;
  /** The engine and its model. */
  engine: string;
  /** Of all sample positions here. */
  rateHz: number;
  durationSamples: number;
  channels: TranscriptChannel[];
  /** Sorted by their beginning. */
  utterances: Utterance[];
  /** Sorted by their beginning. */
  marks: TranscriptMark[];
}
