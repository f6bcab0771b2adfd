import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { Secret } from '../../secret.ts';
import { SinchError } from './errors.ts';

/** What a signature is over: the request as it goes over the wire. */
export interface SignedParts {
  method: string;
  /** Without host and query. */
  path: string;
  contentType: string;
  /** Of the header `x-timestamp`. */
  timestamp: string;
  body: string | Uint8Array;
}

/** An application's; the secret is base64, as the vendor gives it. */
export interface ApplicationKeys {
  key: string;
  secret: Secret;
}

/** A request that arrived, its header names in lower case. */
export interface ReceivedRequest {
  method: string;
  path: string;
  headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  body: string | Uint8Array;
}

/** Who sent a request, and how it can be told that they did. */
export interface GivenCredentials {
  applicationKey: string;
  /** @throws SinchError 40108 where it was somebody else */
  prove(secret: Secret): void;
}

/** How far a request's time may be from ours, in either direction. */
export const maxAgeMs = 300_000;
const jsonType = 'application/json';
const maxHeaderCharacters = 4096;

/**
 * Base64 of the HMAC-SHA256, by the decoded secret, of method, MD5 of the body (or nothing), content type, time and path.
 */
export function signatureOf(secret: Secret, parts: SignedParts): string {
  return hmac(secret, parts).toString('base64');
}

/** The headers of a callback of ours; `Content-Type` goes out as it is here. */
export function signedHeaders(
  { key, secret }: ApplicationKeys,
  url: string,
  body: string,
  unixMs: number,
): Record<string, string> {
  const timestamp = new Date(unixMs).toISOString();
  const { pathname: path } = new URL(url);
  const signature = signatureOf(secret, { method: 'POST', path, contentType: jsonType, timestamp, body });
  return {
    'content-type': jsonType,
    'x-timestamp': timestamp,
    authorization: `Application ${key}:${signature}`,
  };
}

/**
 * Reads `Authorization`, both of the vendor's schemes.
 * @throws SinchError 40108 there is none, or it is none that could ever be right; 40301 another scheme
 */
export function readAuthorization(request: ReceivedRequest, nowUnixMs: number): GivenCredentials {
  const header = headerOf(request, 'authorization');
  if (header === undefined || header.length > maxHeaderCharacters) throw new SinchError(40108);
  const [, scheme = '', value = ''] = /^(\S+) +(\S+) *$/.exec(header) ?? [];
  if (/^basic$/i.test(scheme)) return basic(value);
  if (/^application$/i.test(scheme)) return signed(value, request, nowUnixMs);
  throw new SinchError(40301);
}

/** Base64 of `key:secret`; or the two as they are, which the vendor's validator takes too. */
function basic(value: string): GivenCredentials {
  const plain = value.includes(':') ? value : Buffer.from(value, 'base64').toString('utf8');
  const colon = plain.indexOf(':');
  if (colon <= 0) throw new SinchError(40108);
  const given = plain.slice(colon + 1);
  return {
    applicationKey: plain.slice(0, colon),
    prove: (secret) => demand(isEqual(digest(given), digest(secret.reveal()))),
  };
}

function signed(value: string, request: ReceivedRequest, nowUnixMs: number): GivenCredentials {
  const [applicationKey = '', signature = '', ...others] = value.split(':');
  const timestamp = headerOf(request, 'x-timestamp') ?? '';
  demand(applicationKey !== '' && others.length === 0 && isRecent(timestamp, nowUnixMs));
  const { method, path, body } = request;
  const contentType = headerOf(request, 'content-type') ?? '';
  return {
    applicationKey,
    prove: (secret) => {
      const expected = hmac(secret, { method: method.toUpperCase(), path, contentType, timestamp, body });
      demand(isEqual(Buffer.from(signature, 'base64'), expected));
    },
  };
}

function hmac(secret: Secret, { method, path, contentType, timestamp, body }: SignedParts): Buffer {
  const md5 = body.length === 0 ? '' : createHash('md5').update(body).digest('base64');
  const text = [method, md5, contentType, `x-timestamp:${timestamp}`, path].join('\n');
  return createHmac('sha256', Buffer.from(secret.reveal(), 'base64')).update(text).digest();
}

/** ISO 8601 in UTC. */
function isRecent(timestamp: string, nowUnixMs: number): boolean {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]00:?00)$/.test(timestamp)) return false;
  return Math.abs(Date.parse(timestamp) - nowUnixMs) <= maxAgeMs;
}

function headerOf({ headers }: ReceivedRequest, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'object' ? value[0] : value;
}

function demand(isRight: boolean): void {
  if (!isRight) throw new SinchError(40108);
}

/** Of equal length, so that comparing takes the same time for all. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && timingSafeEqual(a, b);
}
