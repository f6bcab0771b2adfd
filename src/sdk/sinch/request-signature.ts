import { createHash, createHmac } from 'node:crypto';
import { systemClock } from '../../clock.ts';
import type { ApplicationKeys } from './callback-signature.ts';

/** A request to be signed. */
export interface UnsignedRequest {
  method: string;
  /** As it is sent, without host and query. */
  path: string;
  /** As it is sent; nothing for none. */
  body?: string;
}

const contentType = 'application/json';

/**
 * The headers of a request to the voice API that Callreel serves, signed as the vendor's clients sign: `Application
 * KEY:SIGNATURE`. Good for five minutes.
 */
export function signedHeaders(
  { applicationKey, applicationSecret }: ApplicationKeys,
  { method, path, body = '' }: UnsignedRequest,
  nowMs: number = systemClock.unixMs(),
): Record<'content-type' | 'x-timestamp' | 'authorization', string> {
  const key = Buffer.from(applicationSecret, 'base64');
  if (key.length === 0) throw new TypeError('the application secret is empty');
  const timestamp = new Date(nowMs).toISOString();
  const md5 = body === '' ? '' : createHash('md5').update(body).digest('base64');
  const text = [method.toUpperCase(), md5, contentType, `x-timestamp:${timestamp}`, path].join('\n');
  const signature = createHmac('sha256', key).update(text).digest('base64');
  return {
    'content-type': contentType,
    'x-timestamp': timestamp,
    authorization: `Application ${applicationKey}:${signature}`,
  };
}
