import { CallreelError, type ErrorCode } from './errors.ts';

const maxDepth = 64;

/**
 * Refuses what no honest client sends and no database keeps: NUL, half a surrogate pair, nesting without end.
 * @param where names the part of the request
 * @throws CallreelError with the code
 */
export function assertSaneInput(input: unknown, where: string, code: ErrorCode = 'REQUEST_INVALID'): void {
  const waiting: { value: unknown; depth: number }[] = [{ value: input, depth: 0 }];
  for (let item = waiting.pop(); item; item = waiting.pop()) {
    const { value, depth } = item;
    if (typeof value === 'string') assertSaneText(value, where, code);
    if (typeof value !== 'object' || value === null) continue;
    if (depth === maxDepth) throw new CallreelError(code, `nested deeper than ${maxDepth} levels`, { where });
    for (const [key, member] of Object.entries(value)) {
      assertSaneText(key, where, code);
      waiting.push({ value: member, depth: depth + 1 });
    }
  }
}

function assertSaneText(text: string, where: string, code: ErrorCode): void {
  if (text.includes('\0') || !text.isWellFormed())
    throw new CallreelError(code, 'a text holds NUL or half a surrogate pair', { where });
}
