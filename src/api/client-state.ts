import { z } from 'zod';

const maxBytes = 4096;
const description =
  'A text or an object of your own, at most 4096 bytes of JSON; nothing here reads it. Every answer and event about ' +
  'what was started with it says it again.';
const examples = [{ order: 4711 }];

const isSmall = (value: unknown) => Buffer.byteLength(JSON.stringify(value)) <= maxBytes;

/** What a request that starts something may carry. */
export const clientStateInput = z
  .union([z.string(), z.record(z.string(), z.unknown())])
  .refine(isSmall, `expected at most ${maxBytes} bytes of JSON`)
  .optional()
  .meta({ description, examples });

/** Said again; null where none was given. */
export const clientState = z
  .union([z.string(), z.record(z.string(), z.unknown())])
  .nullable()
  .meta({ description: 'What it was started with; null where nothing was given.', examples });
