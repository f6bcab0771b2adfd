import { z } from 'zod';
import type { Application } from '../../database/schema.ts';
import { CallreelError } from '../../errors.ts';
import { numberOf } from '../../routing/called-number.ts';
import { parseRoutine } from './routine.ts';

/** An empty text stands for "not set", as everywhere in Sift. */
const emptyIsNull = (text: string | null | undefined) => (text === '' ? null : text);
const maxUrlLength = 2000;
const maxScriptLength = 100_000;
const maxNumbers = 1000;

const url = z
  .union(
    [
      z.literal(''),
      z.url({ protocol: /^https?$/, error: 'expected an http or https URL' }).max(maxUrlLength),
    ],
    {
      error: 'expected an http or https URL',
    },
  )
  .nullish()
  .transform(emptyIsNull);

/** A form can hold one number, or the field several times; JSON a list. */
const numbers = z
  .union([z.string(), z.array(z.string()).max(maxNumbers)], { error: 'expected a list of numbers' })
  .nullish()
  .transform((given) => {
    if (given == null) return undefined;
    return (Array.isArray(given) ? given : [given]).filter((number) => number !== '').map(numberOf);
  });

/** Of a create or update; what is absent stays as it is. A form's `default_routine` is JSON text. */
export const applicationInput = z.object({
  name: z.string().max(200).nullish(),
  on_incoming: url,
  default_routine: z.unknown().optional(),
  script: z.string().max(maxScriptLength).nullish().transform(emptyIsNull),
  phone_numbers: numbers,
});

export type ApplicationInput = z.output<typeof applicationInput>;

/**
 * The list of commands of a `default_routine`, which may be given as the list, as `{routine: [...]}`, or as JSON text
 * of either. Null: none.
 * @throws CallreelError DOCUMENT_INVALID with the path inside the body
 */
export function defaultRoutineOf(given: unknown, where = 'body.default_routine'): unknown[] | null {
  const value = typeof given === 'string' && given !== '' ? parseJson(given, where) : given;
  if (value == null || value === '') return null;
  const document = Array.isArray(value) ? { routine: value } : value;
  try {
    parseRoutine(document);
  } catch (error) {
    if (!(error instanceof CallreelError)) throw error;
    const place = (error.where ?? '').replace(/^(body|routine)/, '');
    throw new CallreelError(error.code, error.message, { where: `${where}${place}` });
  }
  const { routine } = document as { routine: unknown[] };
  return routine.length === 0 ? null : routine;
}

function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new CallreelError('DOCUMENT_INVALID', 'expected JSON', { where });
  }
}

/** Sift's Application object. */
export function applicationBody(row: Application, phoneNumbers: readonly string[]): Record<string, unknown> {
  return {
    app_id: row.appId,
    account_id: row.accountId,
    name: row.name,
    on_incoming: row.onIncoming,
    default_routine: row.defaultRoutine ?? null,
    script: row.script,
    phone_numbers: phoneNumbers,
    created: row.createdAt.toISOString(),
  };
}
