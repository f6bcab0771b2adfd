import { fileURLToPath } from 'node:url';
import { readLineAudio } from './audio-file.ts';

export const speechNames = ['english', 'french', 'spanish', 'italian'] as const;
export type SpeechName = (typeof speechNames)[number];

/** Where the human speech of the demo lies; its licence stands in NOTICE.md beside it. */
export function speechPath(name: SpeechName): string {
  return fileURLToPath(new URL(`../../demo/audio/${name}.wav`, import.meta.url));
}

/** Mono, 8 kHz. */
export function speech(name: SpeechName): Promise<Int16Array> {
  return readLineAudio(speechPath(name));
}
