import { z } from 'zod';
import { type Cursor, decodeCursor, encodeCursor, type Page, type PageRequest } from '../../database/page.ts';

const defaultLimit = 20;
const maxLimit = 100;

/** What every list of Sift takes. */
export const pageQuery = {
  cursor: z.string().max(2000).optional(),
  limit: z.coerce.number().int().min(1).max(maxLimit).default(defaultLimit),
};

/** A moment as a client may write it: ISO 8601, or seconds since 1970. */
export const moment = z.string().transform((text, context) => {
  const isNumber = /^-?\d{1,12}(\.\d{1,9})?$/.test(text);
  const isIso = /^\d{4}-\d{2}-\d{2}/.test(text);
  const date = new Date(isNumber ? Number(text) * 1000 : isIso ? text : Number.NaN);
  if (!Number.isNaN(date.getTime()) && date.getUTCFullYear() >= 0 && date.getUTCFullYear() < 10_000)
    return date;
  context.addIssue('expected a time as 2026-01-31T10:00:00Z, or seconds since 1970');
  return z.NEVER;
});

/**
 * The cursor itself, or a whole `next` or `previous` URL in its place, as clients that misread the guide send it.
 * @throws CallreelError REQUEST_INVALID
 */
export function pageRequest(
  list: string,
  { cursor, limit }: { cursor?: string; limit: number },
): PageRequest {
  if (!cursor) return { limit };
  const inUrl = cursor.includes('://') ? URL.parse(cursor)?.searchParams.get('cursor') : undefined;
  return { limit, cursor: decodeCursor(list, inUrl ?? cursor) };
}

export interface PageBody {
  next: string | null;
  previous: string | null;
  results: unknown[];
}

/**
 * Sift's page: `next` and `previous` are whole URLs that keep the request's other parameters.
 * @param url the request's path and query
 */
export function pageBody(
  list: string,
  page: Pick<Page<unknown>, 'next' | 'previous'>,
  results: unknown[],
  { publicUrl, url }: { publicUrl: string; url: string },
): PageBody {
  const link = (cursor: Cursor | undefined): string | null => {
    if (!cursor) return null;
    const target = new URL(url, publicUrl);
    target.searchParams.set('cursor', encodeCursor(list, cursor));
    return publicUrl + target.pathname + target.search;
  };
  return { next: link(page.next), previous: link(page.previous), results };
}
