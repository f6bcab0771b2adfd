import type { Transcript, Utterance } from '../transcription/transcript.ts';

/** For tests only: of two parties, at 8 kHz. */
export function testTranscript(utterances: Utterance[]): Transcript {
  return {
    ...{ version: 1, locale: 'en-US', engine: 'url test', rateHz: 8000, durationSamples: 16_000 },
    channels: [
      { speakerLabel: 'Speaker 1', id: 'a', startSample: 0 },
      { speakerLabel: 'Speaker 2', id: 'b', startSample: 0 },
    ],
    utterances,
    marks: [],
  };
}
