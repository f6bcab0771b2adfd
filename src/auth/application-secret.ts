import { randomBytes } from 'node:crypto';
import { Secret } from '../secret.ts';
import { openSecret, sealSecret } from './sealed-secret.ts';

const secretBytes = 32;

/** What an application and we sign requests with: base64, as the vendor's clients take it. */
export function newApplicationSecret(): Secret {
  return new Secret(randomBytes(secretBytes).toString('base64'));
}

export function sealApplicationSecret(masterKey: Secret<Buffer>, appId: string, secret: Secret): string {
  return sealSecret(masterKey, contextOf(appId), secret);
}

/** @throws CallreelError SPOOL_KEY_MISSING when another master key sealed it, or for another application */
export function openApplicationSecret(masterKey: Secret<Buffer>, appId: string, sealed: string): Secret {
  return openSecret(masterKey, contextOf(appId), sealed);
}

function contextOf(appId: string): string {
  return `application ${appId}`;
}
