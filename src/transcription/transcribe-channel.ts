import { type PieceText, recognizePiece, type SpeechRecognizer } from './recognize-piece.ts';
import { recognizerRateHz, type SpeechPiece } from './speech-segmenter.ts';
import type { ChannelAudio, ChannelSpeech } from './speech-to-text.ts';
import type { TextSpan } from './spoken-text.ts';

/** Finds the speech in a channel. One channel at a time. */
export interface SpeechFinder {
  open(rateHz: number): Promise<void>;
  /** @returns the pieces that ended in this chunk */
  push(chunk: Int16Array): Promise<SpeechPiece[]>;
  end(): Promise<SpeechPiece[]>;
}

/** Chunks are asked for, looked through and recognised one at a time, so that only one is in memory. */
const maxChunkSeconds = 10;

/** @throws the signal's reason, and what finder and recogniser throw */
export async function transcribeChannel(
  { rateHz, chunks }: ChannelAudio,
  finder: SpeechFinder,
  recognizer: SpeechRecognizer,
  signal: AbortSignal,
): Promise<ChannelSpeech> {
  const speech: ChannelSpeech = { durationSamples: 0, utterances: [], unrecognized: [] };
  const recognizeAll = async (pieces: SpeechPiece[]) => {
    for (const piece of pieces) {
      signal.throwIfAborted();
      append(speech, await recognizePiece(piece, recognizer), rateHz);
    }
  };
  signal.throwIfAborted();
  await finder.open(rateHz);
  for await (const chunk of chunks) {
    for (let read = 0; read < chunk.length; read += rateHz * maxChunkSeconds) {
      signal.throwIfAborted();
      await recognizeAll(await finder.push(chunk.subarray(read, read + rateHz * maxChunkSeconds)));
    }
    speech.durationSamples += chunk.length;
  }
  signal.throwIfAborted();
  await recognizeAll(await finder.end());
  return speech;
}

function append(speech: ChannelSpeech, { utterances, unrecognized }: PieceText, rateHz: number): void {
  const inChannel = <Span extends TextSpan>(span: Span): Span => ({
    ...span,
    fromSample: Math.round((span.fromSample * rateHz) / recognizerRateHz),
    toSample: Math.round((span.toSample * rateHz) / recognizerRateHz),
  });
  for (const utterance of utterances)
    speech.utterances.push({
      ...inChannel(utterance),
      ...(utterance.words ? { words: utterance.words.map(inChannel) } : {}),
    });
  speech.unrecognized.push(...unrecognized.map(inChannel));
}
