import { createHash, timingSafeEqual } from 'node:crypto';
import { CallreelError } from '../errors.ts';
import type { Credentials } from './credentials.ts';

/** For the `WWW-Authenticate` header of a 401. */
export const basicChallenge = 'Basic realm="callreel", charset="UTF-8"';

const maxHeaderLength = 4096;

/**
 * HTTP Basic authentication (RFC 7617) with account id and auth token, in a time that does not depend on them.
 * @throws CallreelError UNAUTHORIZED
 */
export function authenticateBasic(header: string | undefined, { accountId, authToken }: Credentials): void {
  if (header === undefined)
    throw new CallreelError('UNAUTHORIZED', 'the request has no Authorization header');
  const encoded = header.length > maxHeaderLength ? undefined : /^Basic +([^\s]+) *$/i.exec(header)?.[1];
  if (encoded === undefined)
    throw new CallreelError('UNAUTHORIZED', 'the Authorization header is not HTTP Basic');
  const pair = Buffer.from(encoded, 'base64');
  // The expected pair is hashed as a whole: the colon between the two is the first one of either side.
  if (!timingSafeEqual(digest(pair), digest(Buffer.from(`${accountId}:${authToken.reveal()}`))))
    throw new CallreelError('UNAUTHORIZED', 'the account id or the auth token is wrong');
}

function digest(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}
