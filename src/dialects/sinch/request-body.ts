import { SinchError } from './errors.ts';
import { Fields } from './fields.ts';
import { type Problem, Problems } from './problems.ts';

/** What a request asks for, and what of it has no effect. */
export interface ReadRequest<T> {
  request: T;
  warnings: readonly Problem[];
}

/**
 * Reads the body of a request, parsed already.
 * @param read undefined where something of it is wrong, which it told then
 * @throws SinchError 40001, 40002, 40003: the first mistake
 */
export function readRequest<T>(body: unknown, read: (fields: Fields) => T | undefined): ReadRequest<T> {
  const problems = new Problems();
  const fields = Fields.of(body ?? {}, [], problems);
  const request = fields && read(fields);
  fields?.end();
  problems.throwFirst();
  if (request === undefined) throw new SinchError(40003);
  return { request, warnings: problems.all };
}
