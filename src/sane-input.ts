import { CallreelError, type ErrorCode } from './errors.ts';

const maxDepth = 64;
/** Any other name is not repeated. */
const plainName = /^[\w-]{1,64}$/;

/**
 * Refuses what no honest client sends and no database keeps: NUL, half a surrogate pair, nesting without end.
 * @param part of the request: stands before the name of the field, and alone for the whole of it
 * @throws CallreelError with the code
 */
export function assertSaneInput(input: unknown, part: string, code: ErrorCode = 'REQUEST_INVALID'): void {
  const waiting = [{ value: input, depth: 0, where: part }];
  for (let item = waiting.pop(); item; item = waiting.pop()) {
    const { value, depth, where } = item;
    if (typeof value === 'string') assertSaneText(value, where, code);
    if (typeof value !== 'object' || value === null) continue;
    if (depth === maxDepth)
      throw new CallreelError(code, `nested deeper than ${maxDepth} levels`, { where: part });
    for (const [key, member] of Object.entries(value)) {
      assertSaneText(key, where, code);
      const name = Array.isArray(value) ? `[${key}]` : `.${key}`;
      const inside = plainName.test(key) ? where + name : where;
      waiting.push({ value: member, depth: depth + 1, where: inside });
    }
  }
}

function assertSaneText(text: string, where: string, code: ErrorCode): void {
  if (text.includes('\0') || !text.isWellFormed())
    throw new CallreelError(code, 'a text holds NUL or half a surrogate pair', { where });
}
