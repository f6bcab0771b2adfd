import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { CallreelError } from '../errors.ts';
import type { Secret } from '../secret.ts';
import { keptSecret } from './kept-secret.ts';

/** The two query parameters a link carries. */
export interface LinkQuery {
  expires?: unknown;
  signature?: unknown;
}

/** Links that carry their own right to be fetched, until they expire: HMAC-SHA256 over path and time. */
export class LinkSigner {
  readonly #key: Secret;

  constructor(key: Secret) {
    this.#key = key;
  }

  /** With the key of this data directory, made at the first start. Removing it ends every link given out. */
  static fromDataDir(dataDir: string): LinkSigner {
    return new LinkSigner(keptSecret(dataDir, 'link-key', () => randomBytes(32).toString('base64url')));
  }

  /**
   * @param path absolute and percent-encoded as it will be requested, without a query
   * @returns the path with `expires` and `signature`
   */
  sign(path: string, expiresUnixMs: number): string {
    const expires = String(Math.ceil(expiresUnixMs));
    return `${path}?expires=${expires}&signature=${this.#signature(path, expires)}`;
  }

  /**
   * @param path as requested, without the query
   * @throws CallreelError LINK_INVALID, LINK_EXPIRED
   */
  verify(path: string, { expires, signature }: LinkQuery, nowUnixMs: number): void {
    if (typeof expires !== 'string' || typeof signature !== 'string' || !/^\d{1,15}$/.test(expires))
      throw new CallreelError('LINK_INVALID', 'the link is not signed');
    const expected = Buffer.from(this.#signature(path, expires));
    const given = Buffer.from(signature);
    if (given.length !== expected.length || !timingSafeEqual(given, expected))
      throw new CallreelError('LINK_INVALID', 'the signature does not fit the link');
    if (nowUnixMs >= Number(expires))
      throw new CallreelError(
        'LINK_EXPIRED',
        `the link expired at ${new Date(Number(expires)).toISOString()}`,
      );
  }

  #signature(path: string, expires: string): string {
    return createHmac('sha256', this.#key.reveal()).update(`${path}\n${expires}`).digest('base64url');
  }
}
