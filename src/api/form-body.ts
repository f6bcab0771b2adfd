import type { FastifyInstance, FastifyRequest } from 'fastify';
import { CallreelError } from '../errors.ts';

const maxFields = 1000;

/** Reads `application/x-www-form-urlencoded` bodies as objects; a repeated field is a list. */
export function acceptForms(app: FastifyInstance): void {
  app.addContentTypeParser<string>(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    async (_request: FastifyRequest, body: string) => parseForm(body),
  );
}

/** @throws CallreelError REQUEST_INVALID for more fields than any form has */
export function parseForm(text: string): Record<string, string | string[]> {
  const form: Record<string, string | string[]> = Object.create(null);
  let fields = 0;
  for (const [name, value] of new URLSearchParams(text)) {
    if (++fields > maxFields)
      throw new CallreelError('REQUEST_INVALID', `a form has at most ${maxFields} fields`, { where: 'body' });
    const before = form[name];
    if (before === undefined) form[name] = value;
    else if (Array.isArray(before)) before.push(value);
    else form[name] = [before, value];
  }
  return form;
}
