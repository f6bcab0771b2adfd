import { CallreelError, type ErrorCode } from '../errors.ts';
import type { SpokenText, TextSpan } from './spoken-text.ts';

/** What one party said, by itself: never a mix. */
export interface ChannelAudio {
  rateHz: number;
  /** Mono, one behind the other, without gaps; silence is in them. Asked for one at a time. */
  chunks: AsyncIterable<Int16Array> | Iterable<Int16Array>;
}

export interface ChannelWish {
  /** As the application wrote it: `en-US`, `gd_GB`. */
  locale: string;
  signal: AbortSignal;
  /** A few seconds that somebody waits for on the line: it does not queue behind recordings. */
  isUrgent?: boolean | undefined;
}

/** What was heard in one channel. Positions are samples of its audio, from its beginning. */
export interface ChannelSpeech {
  durationSamples: number;
  /** In order; none overlaps another. */
  utterances: SpokenText[];
  /** Somebody spoke here, as far as can be told, and no engine made sense of it. */
  unrecognized: TextSpan[];
}

/** One way to turn audio into text. */
export interface SpeechToText {
  readonly name: 'embedded' | 'url' | 'model-directory';
  /** Kept with each transcript: which model made it. */
  readonly model: string;
  /** Why it does not serve a locale; undefined where it does. */
  unservedReason(locale: string): string | undefined;
  /**
   * @throws CallreelError TRANSCRIPTION_* (`isRetriable` tells which may go better another time), DRAINING
   * @throws the signal's reason
   */
  transcribe(audio: ChannelAudio, wish: ChannelWish): Promise<ChannelSpeech>;
  close(): Promise<void>;
}

const retriable: ReadonlySet<ErrorCode> = new Set([
  'TRANSCRIPTION_UNAVAILABLE',
  'TRANSCRIPTION_ENGINE_LOST',
  'DRAINING',
]);

/** Whether the same audio may be transcribed later: what is unknown is tried again rather than given up. */
export function isRetriable(error: unknown): boolean {
  return !(error instanceof CallreelError) || retriable.has(error.code);
}
