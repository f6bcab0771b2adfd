import type { StoredFile } from '../../database/stored-files.ts';
import { SinchError } from './errors.ts';
import { ownName } from './store-links.ts';

/** Of `GET /calling/v1/recording`. */
export interface StoredRecordingsQuery {
  from: Date | undefined;
  to: Date | undefined;
  /** From 1. */
  page: number;
  pageSize: number;
}

/** What the vendor tells of a file. */
export interface StoredRecordingBody {
  key: string;
  url: string;
  createdOn: string;
  /** Nothing removes it but a request. */
  expiresOn: null;
  headers: Record<string, string>;
}

const maxPage = 1_000_000;
const maxPageSize = 1000;
const defaultPageSize = 100;
/** Unix times from here on are milliseconds. */
const firstMs = 100_000_000_000;

/** @throws SinchError 40001 */
export function readStoredRecordingsQuery(query: Readonly<Record<string, unknown>>): StoredRecordingsQuery {
  const [from, to] = [momentOf(query.from, 'from'), momentOf(query.to, 'to')];
  if (from && to && to <= from) throw new SinchError(40001, "'to' must be greater than 'from'");
  return {
    ...{ from, to },
    page: wholeOf(query.page, maxPage) ?? orRefuse(query.page, 1, "'pageNumber' must be greater than 0"),
    pageSize:
      wholeOf(query.pageSize, maxPageSize) ??
      orRefuse(
        query.pageSize,
        defaultPageSize,
        `'pageSize' must be a positive integer of at most ${maxPageSize}`,
      ),
  };
}

/** @param asking key of the application that asks: the names of others are told with whose they are */
export function storedRecordingBody(
  { key: kept, applicationKey, deliveredAt, bytes, recordingId, format }: StoredFile,
  asking: string,
  url: string,
): StoredRecordingBody {
  const headers = {
    'content-type': contentTypeOf(format),
    'content-length': String(bytes),
    'recording-id': recordingId,
  };
  const key = applicationKey === asking ? ownName(kept) : kept;
  return { key, url, createdOn: deliveredAt.toISOString(), expiresOn: null, headers };
}

export function contentTypeOf(format: StoredFile['format']): string {
  return { wav: 'audio/wav', mp3: 'audio/mpeg', mp4: 'audio/mp4' }[format];
}

function wholeOf(value: unknown, max: number): number | undefined {
  if (typeof value !== 'string' || !/^\d{1,9}$/.test(value)) return undefined;
  const number = Number(value);
  return number >= 1 && number <= max ? number : undefined;
}

function orRefuse(value: unknown, otherwise: number, message: string): number {
  if (value === undefined || value === '') return otherwise;
  throw new SinchError(40001, message);
}

/** ISO 8601, or Unix time in seconds or milliseconds. */
function momentOf(value: unknown, name: string): Date | undefined {
  if (value === undefined || value === '') return undefined;
  const text = typeof value === 'string' && value.length <= 40 ? value : '';
  const number = /^\d{1,15}$/.test(text) ? Number(text) : undefined;
  const unixMs =
    number === undefined
      ? /^\d{4}-\d\d-\d\d/.test(text)
        ? Date.parse(text)
        : Number.NaN
      : number < firstMs
        ? number * 1000
        : number;
  if (Number.isNaN(new Date(unixMs).getTime())) throw new SinchError(40001, `'${name}' must be a timestamp`);
  return new Date(unixMs);
}
