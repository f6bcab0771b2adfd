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
  if (!isSaneText(text))
    throw new CallreelError(code, 'a text holds NUL or half a surrogate pair', { where });
}

/** Whether a database keeps it. */
export function isSaneText(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}

/** A copy with U+FFFD for what no database keeps; nested no deeper than the stack goes. */
export function withSaneTexts(value: unknown): unknown {
  if (typeof value === 'string') return isSaneText(value) ? value : saneText(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(withSaneTexts);
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [saneText(key), withSaneTexts(member)]),
  );
}

/** With U+FFFD for what no database keeps. */
export function saneText(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\ufffd');
}
