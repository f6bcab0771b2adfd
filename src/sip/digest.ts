import { createHash, timingSafeEqual } from 'node:crypto';
import type { Secret } from '../secret.ts';
import { endOfQuoted, indexOutside, isToken, unquote } from './scan.ts';

/** HTTP digest as SIP uses it: RFC 2617, RFC 7616 and RFC 8760 (SHA-256 in SIP). */
export type DigestAlgorithm = 'MD5' | 'SHA-256';

const hashNames: Readonly<Record<DigestAlgorithm, string>> = { MD5: 'md5', 'SHA-256': 'sha256' };

export function parseAlgorithm(text: string | undefined): DigestAlgorithm | undefined {
  const upper = (text ?? 'MD5').toUpperCase();
  return upper === 'MD5' || upper === 'SHA-256' ? upper : undefined;
}

export interface DigestInput {
  readonly algorithm: DigestAlgorithm;
  readonly username: string;
  readonly realm: string;
  readonly password: Secret;
  readonly method: string;
  readonly uri: string;
  readonly nonce: string;
  /** Undefined for the form of RFC 2069, without qop. */
  readonly quality: { readonly nc: string; readonly cnonce: string; readonly qop: string } | undefined;
}

/** `request-digest` in lower-case hex (RFC 7616 section 3.4.1). */
export function digestResponse(input: DigestInput): string {
  const hash = (text: string) => createHash(hashNames[input.algorithm]).update(text).digest('hex');
  const a1 = hash(`${input.username}:${input.realm}:${input.password.reveal()}`);
  const a2 = hash(`${input.method}:${input.uri}`);
  const { nonce, quality } = input;
  if (quality === undefined) return hash(`${a1}:${nonce}:${a2}`);
  return hash(`${a1}:${nonce}:${quality.nc}:${quality.cnonce}:${quality.qop}:${a2}`);
}

/** Compares in constant time; texts of different length are unequal. */
export function sameText(left: string, right: string): boolean {
  const a = Buffer.from(left);
  const b = Buffer.from(right);
  return a.length === b.length && timingSafeEqual(a, b);
}

/**
 * Reads `Digest name=value, ...` of a challenge or of credentials; names in lower case, values without quotes.
 * @returns undefined for another scheme or a malformed list
 */
export function parseDigestHeader(value: string): Map<string, string> | undefined {
  if (!/^digest[ \t]/i.test(value)) return undefined;
  const fields = new Map<string, string>();
  let start = 7;
  while (start <= value.length) {
    const comma = indexOutside(value, ',', start);
    const end = comma < 0 ? value.length : comma;
    const pair = value.slice(start, end);
    const equals = pair.indexOf('=');
    const name = pair.slice(0, Math.max(equals, 0)).trim().toLowerCase();
    const text = pair.slice(equals + 1).trim();
    const open = text.startsWith('"') && endOfQuoted(text, 0) !== text.length;
    if (!isToken(name) || fields.has(name) || open) return undefined;
    fields.set(name, unquote(text));
    start = end + 1;
  }
  return fields;
}
