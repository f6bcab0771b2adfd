import { z } from 'zod';
import { type Cursor, decodeCursor, encodeCursor, type Page, type PageRequest } from '../database/page.ts';
import { text } from './fields.ts';

const defaultLimit = 50;
const maxLimit = 200;
const cursorExample = 'WyJyZWNvcmRpbmdzIiwibmV4dCIsMTc5MDAwMDAwMDAwMCwiNWYzYTljMGQxZTJiNGE2NyJd';

/** What every list of the native API takes. */
export const listQuery = {
  cursor: z
    .string()
    .max(300)
    .meta({ description: '`next` or `previous` of a page of the same list.', examples: [cursorExample] })
    .optional(),
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(maxLimit)
    .default(defaultLimit)
    .meta({ description: 'How many on a page.', examples: [defaultLimit] }),
};

/** The shape of every list's answer: `next` and `previous` go into `?cursor=`. */
export function listOf<Item extends z.ZodType>(item: Item) {
  return z
    .object({
      next: text('For `cursor`: what lies further down; null on the last page.', cursorExample).nullable(),
      previous: text('For `cursor`: what lies further up; null on the first page.', cursorExample)
        .nullable()
        .meta({ examples: [null] }),
      results: z.array(item).meta({ description: 'This page, the latest first.' }),
    })
    .meta({ description: 'One page of the list.' });
}

/** @throws CallreelError REQUEST_INVALID */
export function listRequest(list: string, query: { cursor?: string; limit: number }): PageRequest {
  return { limit: query.limit, cursor: query.cursor ? decodeCursor(list, query.cursor) : undefined };
}

export function listBody<Row, Body>(list: string, page: Page<Row>, toBody: (row: Row) => Body) {
  const written = (cursor: Cursor | undefined) => (cursor ? encodeCursor(list, cursor) : null);
  return { next: written(page.next), previous: written(page.previous), results: page.rows.map(toBody) };
}
