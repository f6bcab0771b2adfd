import { createHmac } from 'node:crypto';
import { openSecret, sealSecret } from '../auth/sealed-secret.ts';
import { Secret } from '../secret.ts';

/**
 * The credentials of destinations, sealed by a key of their own that is derived from the master key. `about` says what
 * they are for and is authenticated: sealed credentials that were moved to another place do not open there.
 */
export class CredentialSeal {
  readonly #key: Secret<Buffer>;

  constructor(masterKey: Secret<Buffer>) {
    const derived = createHmac('sha256', masterKey.reveal())
      .update('callreel destination credentials')
      .digest();
    this.#key = new Secret(derived);
  }

  seal(credentials: Secret, about: string): string {
    return sealSecret(this.#key, about, credentials);
  }

  /** @throws CallreelError SPOOL_KEY_MISSING when they were sealed by another master key, or about something else */
  open(sealed: string, about: string): Secret {
    return openSecret(this.#key, about, sealed);
  }
}

/** What the sealed credentials of a delivery are about: one URL, of one call or conference of one application. */
export function credentialsAbout({
  url,
  applicationKey,
  nameId,
}: {
  url: string;
  applicationKey: string;
  nameId: string;
}): string {
  return JSON.stringify(['delivery', applicationKey, nameId, url]);
}
