import { z } from 'zod';

export const maxTextCharacters = 5000;

/** An empty string stands for "not set" in Sift's own examples (docs/dialects/sift.md, G12). */
export const callbackUrl = z
  .union([z.literal(''), z.url({ protocol: /^https?$/, error: 'expected an http or https URL' })])
  .nullish()
  .transform((url) => url || undefined);
