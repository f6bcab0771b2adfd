import type { TextSpan } from './spoken-text.ts';
import type { Transcript } from './transcript.ts';

/** What one speaker said until another began or it was silent for longer. */
export interface TranscriptLine extends TextSpan {
  channel: number;
  text: string;
}

/** A shorter silence, with nobody between, is within a line. */
const lineGapSeconds = 0.8;

export function transcriptLines({ utterances, rateHz }: Transcript): TranscriptLine[] {
  const lines: TranscriptLine[] = [];
  for (const { channel, fromSample, toSample, text } of utterances) {
    const last = lines.at(-1);
    if (last?.channel === channel && fromSample - last.toSample < lineGapSeconds * rateHz) {
      last.text += ` ${text}`;
      last.toSample = Math.max(last.toSample, toSample);
    } else {
      lines.push({ channel, fromSample, toSample, text });
    }
  }
  return lines;
}
