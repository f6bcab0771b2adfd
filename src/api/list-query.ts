import { z } from 'zod';
import { type Cursor, decodeCursor, encodeCursor, type Page, type PageRequest } from '../database/page.ts';

const defaultLimit = 50;
const maxLimit = 200;

/** What every list of the native API takes. */
export const listQuery = {
  cursor: z.string().max(300).optional(),
  limit: z.coerce.number().int().min(1).max(maxLimit).default(defaultLimit),
};

/** The shape of every list's answer: `next` and `previous` go into `?cursor=`. */
export function listOf<Item extends z.ZodType>(item: Item) {
  return z.object({ next: z.string().nullable(), previous: z.string().nullable(), results: z.array(item) });
}

/** @throws CallreelError REQUEST_INVALID */
export function listRequest(list: string, query: { cursor?: string; limit: number }): PageRequest {
  return { limit: query.limit, cursor: query.cursor ? decodeCursor(list, query.cursor) : undefined };
}

export function listBody<Row, Body>(list: string, page: Page<Row>, toBody: (row: Row) => Body) {
  const text = (cursor: Cursor | undefined) => (cursor ? encodeCursor(list, cursor) : null);
  return { next: text(page.next), previous: text(page.previous), results: page.rows.map(toBody) };
}
