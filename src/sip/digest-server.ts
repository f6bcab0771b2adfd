import { createHmac, randomBytes } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { Secret } from '../secret.ts';
import {
  type DigestAlgorithm,
  digestResponse,
  parseAlgorithm,
  parseDigestHeader,
  sameText,
} from './digest.ts';
import { quote } from './scan.ts';
import type { SipHeader } from './session.ts';

export interface DigestServerOptions {
  clock: Clock;
  realm: string;
  /** The password of a user, or undefined where there is no such user. */
  password(username: string): Promise<Secret | undefined> | Secret | undefined;
  /**
   * What challenges offer and answers may use, the preferred one first (RFC 8760 section 2.3). There are phones that
   * give up when any of them is unknown to them.
   */
  algorithms?: readonly DigestAlgorithm[];
  /** Signs the nonces; another key makes every nonce stale. */
  nonceKey?: Secret<Uint8Array>;
}

/** `stale`: the password was right, only the nonce has to be newer. */
export type DigestVerdict = { ok: true; username: string } | { ok: false; stale: boolean };

interface RequestWithCredentials {
  readonly method: string;
  readonly uri: string;
  readonly headers: readonly { readonly key: string; readonly value: string }[];
}

const nonceLifetimeMs = 300_000;
const maxCountedNonces = 20_000;
const macLength = 32;
const refused: DigestVerdict = { ok: false, stale: false };

/**
 * Server side of digest authentication (RFC 3261 section 22 with RFC 7616 and RFC 8760). A nonce is its time and a
 * random part, signed: nothing is stored for whoever only asks for one.
 */
export class DigestServer {
  readonly #options: DigestServerOptions;
  readonly #algorithms: readonly DigestAlgorithm[];
  readonly #key: Secret<Uint8Array>;
  /** Highest nonce count seen, by nonce; only of users who knew their password. In order of insertion. */
  readonly #counts = new Map<string, number>();
  /** Nonces up to this time may have lost their count to newer ones: they are stale. */
  #forgottenUnixMs = 0;

  constructor(options: DigestServerOptions) {
    this.#options = options;
    this.#algorithms = options.algorithms ?? ['SHA-256', 'MD5'];
    this.#key = options.nonceKey ?? new Secret(randomBytes(32));
  }

  /** The headers of a 401. */
  challenges(stale = false): SipHeader[] {
    const nonce = this.#newNonce();
    return this.#algorithms.map((algorithm) => ({
      name: 'WWW-Authenticate',
      value:
        `Digest realm=${quote(this.#options.realm)}, nonce="${nonce}", qop="auth", algorithm=${algorithm}` +
        (stale ? ', stale=true' : ''),
    }));
  }

  async verify(request: RequestWithCredentials): Promise<DigestVerdict> {
    const fields = this.#credentials(request);
    if (fields === undefined) return refused;
    const algorithm = parseAlgorithm(fields.get('algorithm'));
    const [username, nonce, response, nc] = ['username', 'nonce', 'response', 'nc'].map((name) =>
      fields.get(name),
    );
    if (!algorithm || !this.#algorithms.includes(algorithm)) return refused;
    if (!username || !nonce || !response || !nc || !/^[0-9a-f]{8}$/i.test(nc)) return refused;
    if (fields.get('uri') !== request.uri || fields.get('qop')?.toLowerCase() !== 'auth') return refused;
    const expected = digestResponse({
      algorithm,
      username,
      realm: this.#options.realm,
      // An unknown user costs the same work as a known one.
      password: (await this.#options.password(username)) ?? new Secret(randomBytes(16).toString('hex')),
      method: request.method,
      uri: request.uri,
      nonce,
      quality: { nc, cnonce: fields.get('cnonce') ?? '', qop: 'auth' },
    });
    if (!sameText(expected, response.toLowerCase())) return refused;
    const issuedUnixMs = this.#issuedAt(nonce);
    const fresh = issuedUnixMs !== undefined && this.#count(nonce, Number.parseInt(nc, 16), issuedUnixMs);
    return fresh ? { ok: true, username } : { ok: false, stale: true };
  }

  /** The credentials for our realm; a request may carry some for others. */
  #credentials(request: RequestWithCredentials): Map<string, string> | undefined {
    for (const { key, value } of request.headers) {
      const fields = key === 'authorization' ? parseDigestHeader(value) : undefined;
      if (fields?.get('realm') === this.#options.realm) return fields;
    }
    return undefined;
  }

  #newNonce(): string {
    const text = `${this.#options.clock.unixMs().toString(16)}.${randomBytes(8).toString('hex')}`;
    return `${text}.${this.#sign(text)}`;
  }

  #sign(text: string): string {
    const mac = createHmac('sha256', this.#key.reveal())
      .update(`${text}:${this.#options.realm}`)
      .digest('hex');
    return mac.slice(0, macLength);
  }

  /** Unix milliseconds; undefined for a nonce that is not ours or too old. */
  #issuedAt(nonce: string): number | undefined {
    const dot = nonce.lastIndexOf('.');
    const text = nonce.slice(0, Math.max(dot, 0));
    if (!sameText(this.#sign(text), nonce.slice(dot + 1))) return undefined;
    const issuedUnixMs = Number.parseInt(text, 16);
    const ageMs = this.#options.clock.unixMs() - issuedUnixMs;
    return ageMs >= 0 && ageMs < nonceLifetimeMs && issuedUnixMs > this.#forgottenUnixMs
      ? issuedUnixMs
      : undefined;
  }

  /** RFC 7616 section 3.4: each count of a nonce is used once, and only upwards. */
  #count(nonce: string, count: number, issuedUnixMs: number): boolean {
    const seen = this.#counts.get(nonce);
    if (seen !== undefined && count <= seen) return false;
    if (seen === undefined && this.#counts.size >= maxCountedNonces) this.#forgetOldest();
    if (issuedUnixMs <= this.#forgottenUnixMs) return false;
    this.#counts.set(nonce, count);
    return true;
  }

  #forgetOldest(): void {
    const [oldest] = this.#counts.keys();
    if (oldest === undefined) return;
    this.#counts.delete(oldest);
    this.#forgottenUnixMs = Math.max(this.#forgottenUnixMs, Number.parseInt(oldest, 16));
  }
}
