import { z } from 'zod';

/** Where nothing says in which language is spoken. */
export const defaultLocale = 'en-US';

const keptWish = z.object({ locale: z.string().exactOptional() });

/**
 * The locale in which a recording is to be transcribed, of the wishes as its row or its manifest kept them: those of
 * the recording itself, or of its delivery. @returns undefined where no transcript is wanted
 */
export function wantedLocale(wishes: unknown): string | undefined {
  const { transcription, delivery } = (wishes ?? {}) as {
    transcription?: unknown;
    delivery?: { transcription?: unknown };
  };
  const wish = keptWish.safeParse(transcription ?? delivery?.transcription).data;
  return wish && (wish.locale ?? defaultLocale);
}
