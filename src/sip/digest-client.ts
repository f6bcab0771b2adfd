import { randomBytes } from 'node:crypto';
import type { Secret } from '../secret.ts';
import { type DigestAlgorithm, digestResponse, parseAlgorithm, parseDigestHeader } from './digest.ts';
import { quote } from './scan.ts';
import type { SipHeader } from './session.ts';

export interface ClientCredentials {
  readonly username: string;
  readonly password: Secret;
}

export interface Challenge {
  /** The header that answers it. */
  readonly answerIn: 'Authorization' | 'Proxy-Authorization';
  /** RFC 7616 section 3.3: the credentials were right, only the nonce has to be newer. */
  readonly stale: boolean;
  readonly algorithm: DigestAlgorithm;
  readonly realm: string;
  readonly nonce: string;
  readonly opaque: string | undefined;
  readonly qop: boolean;
}

export interface ChallengeResponse {
  readonly status: number;
  readonly headers: readonly { readonly key: string; readonly value: string }[];
}

/**
 * The header that answers a 401 or 407 (RFC 3261 section 22), by the strongest algorithm offered (RFC 8760 section
 * 2.4 has the server list its favourite first; we prefer SHA-256 wherever it stands).
 * @returns undefined where there is no challenge we can answer
 */
export function answerChallenge(
  response: ChallengeResponse,
  request: { readonly method: string; readonly uri: string },
  credentials: ClientCredentials | undefined,
  cnonce: string = randomBytes(12).toString('hex'),
): SipHeader | undefined {
  const challenge = readChallenge(response);
  if (challenge === undefined || credentials === undefined) return undefined;
  return { name: challenge.answerIn, value: credentialsFor(challenge, request, credentials, cnonce) };
}

/** The challenge of a 401 or 407 that we can answer best. */
export function readChallenge({ status, headers }: ChallengeResponse): Challenge | undefined {
  if (status !== 401 && status !== 407) return undefined;
  const key = status === 401 ? 'www-authenticate' : 'proxy-authenticate';
  const answerIn = status === 401 ? 'Authorization' : 'Proxy-Authorization';
  const challenges = headers
    .filter((header) => header.key === key)
    .map((header) => parseChallenge(header.value, answerIn))
    .filter((challenge) => challenge !== undefined);
  return challenges.find(({ algorithm }) => algorithm === 'SHA-256') ?? challenges[0];
}

function parseChallenge(value: string, answerIn: Challenge['answerIn']): Challenge | undefined {
  const fields = parseDigestHeader(value);
  const realm = fields?.get('realm');
  const nonce = fields?.get('nonce');
  const algorithm = fields && parseAlgorithm(fields.get('algorithm'));
  if (fields === undefined || realm === undefined || nonce === undefined || algorithm === undefined)
    return undefined;
  const offered = fields
    .get('qop')
    ?.split(',')
    .map((text) => text.trim().toLowerCase());
  if (offered !== undefined && !offered.includes('auth')) return undefined;
  const stale = fields.get('stale')?.toLowerCase() === 'true';
  return {
    answerIn,
    stale,
    algorithm,
    realm,
    nonce,
    opaque: fields.get('opaque'),
    qop: offered !== undefined,
  };
}

/** @param nonceCount how many requests carried this nonce, this one included */
export function credentialsFor(
  challenge: Challenge,
  request: { readonly method: string; readonly uri: string },
  credentials: ClientCredentials,
  cnonce: string,
  nonceCount = 1,
): string {
  const { algorithm, realm, nonce, opaque } = challenge;
  const quality = challenge.qop
    ? { nc: nonceCount.toString(16).padStart(8, '0'), cnonce, qop: 'auth' }
    : undefined;
  const { method, uri } = request;
  const response = digestResponse({ algorithm, ...credentials, realm, method, uri, nonce, quality });
  const fields = [
    `username=${quote(credentials.username)}`,
    `realm=${quote(realm)}`,
    `nonce=${quote(nonce)}`,
    `uri=${quote(uri)}`,
    `response="${response}"`,
    `algorithm=${algorithm}`,
  ];
  if (opaque !== undefined) fields.push(`opaque=${quote(opaque)}`);
  if (quality !== undefined) fields.push('qop=auth', `nc=${quality.nc}`, `cnonce=${quote(cnonce)}`);
  return `Digest ${fields.join(', ')}`;
}
