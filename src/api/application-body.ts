import { z } from 'zod';
import type { Application } from '../database/schema.ts';
import { choice, identifier, moment, text } from './fields.ts';

const dialects = ['sift', 'signalwire', 'sinch'] as const;
const maxUrlLength = 2000;
const maxNumbers = 1000;
const urlExample = 'https://app.example.com/incoming';
const fallbackExample = 'https://backup.example.com/incoming';
const documentExample = { version: '1.0.0', sections: { main: [{ record_call: {} }] } };
const numbersExample = ['+15557772277'];

export const applicationBody = z
  .object({
    app_id: identifier('The application.'),
    name: text('What you call it.', 'Support'),
    dialect: choice(dialects, 'Whose language its documents are in.'),
    url: text('Asked for a document when a call comes in; null for none.', urlExample).nullable(),
    fallback_url: text('Asked where `url` fails; null for none.', fallbackExample).nullable(),
    document: z.unknown().meta({
      description: 'Its own document, used without a `url`; null for none.',
      examples: [documentExample],
    }),
    numbers: z.array(z.string()).meta({ description: 'The numbers it answers.', examples: [numbersExample] }),
    created_at: moment('When it was created.'),
  })
  .meta({ description: 'The application.' });

export const savedApplicationBody = z
  .object({
    ...applicationBody.shape,
    taken_numbers: z
      .array(
        z.object({
          number: text('A number that it answers now.', '+15557772277'),
          former_app_id: identifier('The application that answered it until now.'),
        }),
      )
      .meta({ description: 'What it took from others.' }),
    secret: text(
      'Of a new application of the dialect sinch: what it and Callreel sign requests with. It is not told again.',
      'NzFnVGd4S1ZGM0VhUWd2UzFzMW5BYVk2VGJqdjRGdXM=',
    ).optional(),
  })
  .meta({ description: 'The application as it is now.' });

const content = {
  name: z
    .string()
    .max(200)
    .meta({ description: 'What you call it; its id unless given.', examples: ['Support'] })
    .optional(),
  url: z
    .url({ protocol: /^https?$/, error: 'expected an http or https URL' })
    .max(maxUrlLength)
    .nullable()
    .meta({
      description: 'Asked for a document when a call comes in, by POST; null for none.',
      examples: [urlExample],
    })
    .optional(),
  fallback_url: z
    .url({ protocol: /^https?$/, error: 'expected an http or https URL' })
    .max(maxUrlLength)
    .nullable()
    .meta({
      description: 'Asked where `url` gives an error or no answer, of the dialect sinch only; null for none.',
      examples: [fallbackExample],
    })
    .optional(),
  document: z
    .unknown()
    .meta({
      description:
        'Its own document, used without a `url`: a routine (sift), SWML (signalwire), also as a text of JSON or ' +
        'YAML, or SVAML (sinch), also as a text of JSON; null for none.',
      examples: [documentExample],
    })
    .optional(),
  numbers: z
    .array(z.string().max(200))
    .max(maxNumbers)
    .meta({
      description:
        'Exactly the numbers it answers from now on: E.164, or the user part of a SIP URI. What another ' +
        'application answered is taken from it.',
      examples: [numbersExample],
    })
    .optional(),
};

export const newApplication = z.strictObject({
  dialect: choice(dialects, 'Whose language its documents are in; it stays so.'),
  ...content,
});
/** What is absent stays as it is. */
export const applicationChange = z.strictObject(content);

export const dialectFilter = choice(dialects, 'Only those of this dialect.').optional();

export function toApplicationBody(
  row: Application,
  numbers: readonly string[],
): z.output<typeof applicationBody> {
  return {
    app_id: row.appId,
    name: row.name,
    dialect: row.dialect,
    url: row.onIncoming,
    fallback_url: row.fallbackUrl,
    document: row.defaultRoutine ?? null,
    numbers: [...numbers],
    created_at: row.createdAt.toISOString(),
  };
}
