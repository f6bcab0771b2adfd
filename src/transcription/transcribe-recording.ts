import { mergeChannels } from './merge-channels.ts';
import type { ChannelAudio, SpeechToText } from './speech-to-text.ts';
import type { Transcript, TranscriptMark } from './transcript.ts';

export interface RecordedChannel {
  /** Kept with the transcript: a channel id. */
  id: string;
  audio: ChannelAudio;
  /** Where it begins on the recording's clock, in samples of `RecordingWish.rateHz`. */
  startSample: number;
}

export interface RecordingWish {
  locale: string;
  /** Of the recording's clock. */
  rateHz: number;
  /** Pauses, holds and keys, on the recording's clock. */
  marks?: readonly TranscriptMark[];
  signal: AbortSignal;
}

/**
 * The transcript of a recording: its channels one after the other, in the order of their legs, the caller first.
 * @throws CallreelError TRANSCRIPTION_* (`isRetriable` tells which may go better another time), DRAINING
 * @throws the signal's reason
 */
export async function transcribeRecording(
  engine: SpeechToText,
  channels: readonly RecordedChannel[],
  { locale, rateHz, marks = [], signal }: RecordingWish,
): Promise<Transcript> {
  const heard = [];
  for (const { id, audio, startSample } of channels) {
    const speech = await engine.transcribe(audio, { locale, signal });
    heard.push({ id, speech, rateHz: audio.rateHz, startSample });
  }
  return mergeChannels(heard, { locale, engine: `${engine.name} ${engine.model}`, rateHz, marks });
}
