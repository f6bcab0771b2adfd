import { z } from 'zod';
import { catalogue, type ErrorCode } from '../errors.ts';
import { text } from './fields.ts';

const codes = Object.keys(catalogue) as [ErrorCode, ...ErrorCode[]];

/** Whose mistake each is, the HTTP status, and what to do. */
const described = Object.fromEntries(
  Object.entries(catalogue).map(([code, { blame, status, todo }]) => [code, { blame, status, todo }]),
);

/** The body of every error, in the documents and on the wire. */
export const errorBody = z
  .object({
    error: z
      .object({
        code: z.enum(codes).meta({
          description: 'Which entry of the catalogue it is; stable, never reused.',
          'x-catalogue': described,
        }),
        message: text('What is wrong in this case, for people.', 'there is no such recording'),
        where: text(
          'A field, a header, an identifier or a position; never a secret.',
          'body.name',
        ).optional(),
        blame: z.enum(['caller', 'destination', 'ours']).meta({
          description:
            'Whose mistake it is: of who sent the request, of a URL or peer that it needs, or ours.',
        }),
        todo: text('What to do about it.', 'Check the identifier; it may have been erased.'),
      })
      .meta({ description: 'The error.' }),
  })
  .meta({ id: 'Error', description: 'What every request that fails is answered with.' });

type StatusOf<Code extends ErrorCode> = (typeof catalogue)[Code]['status'];

/** What any request may be answered with. */
const common = [
  'REQUEST_INVALID',
  'UNAUTHORIZED',
  'INTERNAL',
  'DATABASE_UNAVAILABLE',
] as const satisfies ErrorCode[];

/** Of every route that takes an `Idempotency-Key`. */
export const keyed = ['IDEMPOTENCY_KEY_IN_USE', 'IDEMPOTENCY_KEY_REUSED'] as const satisfies ErrorCode[];

/** The error answers of a route, by status, for its `response`: these codes and those that every route has. */
export function errors<const Code extends ErrorCode>(
  ...own: Code[]
): Record<StatusOf<Code | (typeof common)[number]>, typeof errorBody> {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of new Set<ErrorCode>([...common, ...own])) {
    const { status } = catalogue[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  const answers = [...byStatus].map(([status, each]) => [
    status,
    errorBody.meta({
      description: each.map((code) => `\`${code}\`: ${catalogue[code].todo}`).join(' '),
      'x-codes': each,
    }),
  ]);
  return Object.fromEntries(answers);
}
