import { createCipheriv, createDecipheriv } from 'node:crypto';
import { openOpenssl } from './openssl-gcm.ts';

export const gcmTagBytes = 16;
export const gcmNonceBytes = 12;

/** AES-256-GCM (NIST SP 800-38D) with nonces of 12 bytes and whole tags. */
export interface AesGcm {
  /**
   * @param authenticated at most 64 bytes, sealed with the body and not in it
   * @param out has room for the body and the tag behind it; its beginning may be the body itself
   */
  seal(
    key: Uint8Array,
    nonce: Uint8Array,
    authenticated: Uint8Array | undefined,
    body: Uint8Array,
    out: Uint8Array,
  ): void;
  /**
   * @param sealed a body with its tag behind it
   * @param out has room for the body
   * @returns false where it was not sealed so; `out` then holds what nobody may read
   */
  open(
    key: Uint8Array,
    nonce: Uint8Array,
    authenticated: Uint8Array | undefined,
    sealed: Uint8Array,
    out: Uint8Array,
  ): boolean;
}

/** By way of `node:crypto`: an object for each use. */
export const nodeGcm: AesGcm = {
  seal(key, nonce, authenticated, body, out) {
    const cipher = createCipheriv('aes-256-gcm', key, nonce);
    if (authenticated) cipher.setAAD(authenticated);
    out.set(cipher.update(body));
    cipher.final();
    out.set(cipher.getAuthTag(), body.length);
  },
  open(key, nonce, authenticated, sealed, out) {
    const bodyBytes = sealed.length - gcmTagBytes;
    if (bodyBytes < 0) return false;
    const decipher = createDecipheriv('aes-256-gcm', key, nonce);
    if (authenticated) decipher.setAAD(authenticated);
    decipher.setAuthTag(sealed.subarray(bodyBytes));
    out.set(decipher.update(sealed.subarray(0, bodyBytes)));
    try {
      decipher.final();
      return true;
    } catch {
      return false;
    }
  },
};

let chosen: AesGcm | undefined;

/** The one of this thread: a few thousand bodies a second are sealed, and with objects that costs three times as much. */
export function aesGcm(): AesGcm {
  return (chosen ??= openOpenssl(nodeGcm) ?? nodeGcm);
}
