import type { Transcript } from './transcript.ts';
import { transcriptLines } from './transcript-lines.ts';

/** The file beside a recording, exactly as Sinch documents it ("Transcribed output file example"). */
export interface SinchTranscript {
  text: string;
  lines: {
    /** Where it begins, in seconds. */
    timestamp: number;
    speakerLabel: string;
    text: string;
  }[];
}

export function sinchTranscript(transcript: Transcript): SinchTranscript {
  const lines = transcriptLines(transcript).map(({ fromSample, channel, text }) => ({
    timestamp: Math.round((fromSample / transcript.rateHz) * 100) / 100,
    speakerLabel: transcript.channels[channel]!.speakerLabel,
    text,
  }));
  return { text: lines.map(({ text }) => text).join(' '), lines };
}
