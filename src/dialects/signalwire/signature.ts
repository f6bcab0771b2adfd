import { createHmac, randomInt } from 'node:crypto';
import type { Secret } from '../../secret.ts';

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const keyCharacters = 24;

/** A signing key in the vendor's form. */
export function newSigningKey(): string {
  const characters = Array.from({ length: keyCharacters }, () => alphabet[randomInt(alphabet.length)]);
  return `PSK_${characters.join('')}`;
}

/**
 * What the vendor's validators look at: hex HMAC over the URL as it was given and the body's bytes.
 */
export function signatureHeaders(key: Secret, url: string, body: string): Record<string, string> {
  const sign = (algorithm: string) =>
    createHmac(algorithm, key.reveal()).update(url).update(body).digest('hex');
  return {
    'x-signalwire-signature': sign('sha1'),
    'x-signalwire-sha256-signature': sign('sha256'),
  };
}
