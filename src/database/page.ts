import { z } from 'zod';
import { CallreelError } from '../errors.ts';

/** A row's place in a list that is ordered by time and then by id. */
export interface Position {
  /** Whole milliseconds, as every time in such a list. */
  at: Date;
  id: string;
}

/** A page beside a known row: further down the list, or further up. Without one, the first page. */
export interface Cursor {
  direction: 'next' | 'previous';
  position: Position;
}

export interface PageRequest {
  limit: number;
  cursor?: Cursor | undefined;
}

/** Latest first. */
export interface Page<Row> {
  rows: Row[];
  next: Cursor | undefined;
  previous: Cursor | undefined;
}

/** What one query is asked for: at most `limit` rows on the far side of `beyond`, in the given order. */
export interface Slice {
  comparison: '<' | '>';
  order: 'desc' | 'asc';
  beyond: Position | undefined;
  limit: number;
}

/** Turns a query for a slice into pages: one row more than wanted tells whether there is another page. */
export async function fetchPage<Row>(
  { limit, cursor }: PageRequest,
  positionOf: (row: Row) => Position,
  fetchSlice: (slice: Slice) => Promise<Row[]>,
): Promise<Page<Row>> {
  const upward = cursor?.direction === 'previous';
  const found = await fetchSlice({
    comparison: upward ? '>' : '<',
    order: upward ? 'asc' : 'desc',
    beyond: cursor?.position,
    limit: limit + 1,
  });
  const hasMore = found.length > limit;
  const rows = upward ? found.slice(0, limit).reverse() : found.slice(0, limit);
  const [first] = rows;
  const last = rows.at(-1);
  // The row that the cursor names is always on the side it came from.
  const isBelow = upward || hasMore;
  const isAbove = upward ? hasMore : cursor !== undefined;
  return {
    rows,
    next: last && isBelow ? { direction: 'next', position: positionOf(last) } : undefined,
    previous: first && isAbove ? { direction: 'previous', position: positionOf(first) } : undefined,
  };
}

const maxCursorLength = 300;
/** The years that both JavaScript and PostgreSQL can hold. */
const maxUnixMs = 253_402_300_799_999;
const cursorForm = z.tuple([
  z.string(),
  z.enum(['next', 'previous']),
  z.int().min(0).max(maxUnixMs),
  z.string().min(1).max(100),
]);

/** @param list which list it belongs to: a cursor of another one is refused */
export function encodeCursor(list: string, { direction, position }: Cursor): string {
  const { at, id } = position;
  return Buffer.from(JSON.stringify([list, direction, at.getTime(), id])).toString('base64url');
}

/** @throws CallreelError REQUEST_INVALID for what `encodeCursor` did not make for this list */
export function decodeCursor(list: string, text: string): Cursor {
  const parsed = cursorForm.safeParse(text.length > maxCursorLength ? undefined : parseJson(text));
  const [ofList, direction, unixMs, id] = parsed.data ?? ['', 'next', 0, ''];
  // PostgreSQL's text holds no NUL.
  if (!parsed.success || ofList !== list || id!.includes('\0'))
    throw new CallreelError('REQUEST_INVALID', 'the cursor is not one that this list gave out', {
      where: 'querystring.cursor',
    });
  return { direction: direction as Cursor['direction'], position: { at: new Date(unixMs!), id: id! } };
}

function parseJson(base64: string): unknown {
  try {
    return JSON.parse(Buffer.from(base64, 'base64url').toString());
  } catch {
    return undefined;
  }
}
