import type { Transcript } from '../transcription/transcript.ts';

/** PostgreSQL keeps no NUL and no half of a pair; a server's text may have both. */
export function storable(transcript: Transcript): Transcript {
  const clean = <T extends { text: string }>(said: T): T => ({
    ...said,
    text: said.text.replaceAll('\0', '').toWellFormed(),
  });
  return {
    ...transcript,
    utterances: transcript.utterances.map((utterance) => ({
      ...clean(utterance),
      ...(utterance.words && { words: utterance.words.map(clean) }),
    })),
  };
}

/** All that was said, by time; what is searched. */
export function textOf({ utterances }: Transcript): string {
  return utterances.map(({ text }) => text).join('\n');
}
