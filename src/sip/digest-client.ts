import { randomBytes } from 'node:crypto';
import type { Secret } from '../secret.ts';
import { type DigestAlgorithm, digestResponse, parseAlgorithm, parseDigestHeader } from './digest.ts';
import { quote } from './scan.ts';
import type { SipHeader } from './session.ts';

export interface ClientCredentials {
  readonly username: string;
  readonly password: Secret;
}

interface Challenge {
  readonly algorithm: DigestAlgorithm;
  readonly realm: string;
  readonly nonce: string;
  readonly opaque: string | undefined;
  readonly qop: boolean;
}

interface ChallengeResponse {
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
  if (credentials === undefined || (response.status !== 401 && response.status !== 407)) return undefined;
  const key = response.status === 401 ? 'www-authenticate' : 'proxy-authenticate';
  const challenges = response.headers
    .filter((header) => header.key === key)
    .map((header) => readChallenge(header.value))
    .filter((challenge) => challenge !== undefined);
  const challenge = challenges.find(({ algorithm }) => algorithm === 'SHA-256') ?? challenges[0];
  if (challenge === undefined) return undefined;
  return {
    name: response.status === 401 ? 'Authorization' : 'Proxy-Authorization',
    value: credentialsFor(challenge, request, credentials, cnonce),
  };
}

function readChallenge(value: string): Challenge | undefined {
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
  return { algorithm, realm, nonce, opaque: fields.get('opaque'), qop: offered !== undefined };
}

/** Each challenge is answered once, so the nonce count is always 1. */
function credentialsFor(
  challenge: Challenge,
  request: { readonly method: string; readonly uri: string },
  credentials: ClientCredentials,
  cnonce: string,
): string {
  const { algorithm, realm, nonce, opaque } = challenge;
  const quality = challenge.qop ? { nc: '00000001', cnonce, qop: 'auth' } : undefined;
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
