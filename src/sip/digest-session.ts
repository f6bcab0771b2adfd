import { randomBytes } from 'node:crypto';
import {
  type Challenge,
  type ChallengeResponse,
  type ClientCredentials,
  credentialsFor,
  readChallenge,
} from './digest-client.ts';
import type { SipHeader } from './session.ts';

type RequestLine = { readonly method: string; readonly uri: string };

/**
 * Digest authentication over several requests to one peer: the nonce of the last challenge is used again, with the
 * next count, so that a refresh costs one round trip (RFC 7616 section 3.4.3).
 */
export class DigestSession {
  readonly #credentials: ClientCredentials | undefined;
  #challenge: Challenge | undefined;
  #nonceCount = 0;

  constructor(credentials: ClientCredentials | undefined) {
    this.#credentials = credentials;
  }

  /** The header to send without being asked; undefined before the first challenge. */
  authorize(request: RequestLine): SipHeader | undefined {
    const challenge = this.#challenge;
    if (challenge === undefined || this.#credentials === undefined) return undefined;
    const cnonce = randomBytes(12).toString('hex');
    const value = credentialsFor(challenge, request, this.#credentials, cnonce, ++this.#nonceCount);
    return { name: challenge.answerIn, value };
  }

  /** Takes a refusal. @returns what a 401 or 407 asks for; undefined where it cannot be answered */
  challenged(response: ChallengeResponse): Challenge | undefined {
    if (response.status !== 401 && response.status !== 407) return undefined;
    this.#challenge = this.#credentials && readChallenge(response);
    this.#nonceCount = 0;
    return this.#challenge;
  }
}
