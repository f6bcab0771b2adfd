import { createCipheriv, createDecipheriv } from 'node:crypto';
import { type AesGcm, gcmKeyBytes, gcmNonceBytes, gcmTagBytes } from './gcm.ts';
import { openOpenssl } from './openssl-gcm.ts';

/** By way of `node:crypto`: an object for each use. */
export const nodeGcm: AesGcm = {
  seal(key, nonce, authenticated, body, out) {
    const cipher = createCipheriv('aes-256-gcm', key, nonce);
    if (authenticated) cipher.setAAD(authenticated);
    out.set(cipher.update(body));
    cipher.final();
    out.set(cipher.getAuthTag(), body.length);
  },
  sealInPlace(keys, keyAt, memory, at, bytes) {
    const nonceAt = keyAt + gcmKeyBytes;
    const key = keys.subarray(keyAt, nonceAt);
    const nonce = keys.subarray(nonceAt, nonceAt + gcmNonceBytes);
    const body = memory.subarray(at, at + bytes);
    this.seal(key, nonce, undefined, body, memory.subarray(at, at + bytes + gcmTagBytes));
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
