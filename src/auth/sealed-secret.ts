import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { CallreelError } from '../errors.ts';
import { Secret } from '../secret.ts';

/**
 * Secrets that users entrust to us, sealed for the database: `1 | nonce, 12 bytes | AES-256-GCM of the text | tag, 16
 * bytes`, in base64, as the spool's keys are. `context` says where it belongs and is authenticated: a sealed secret
 * that was moved to another row does not open.
 */
const sealVersion = 1;
const nonceBytes = 12;
const tagBytes = 16;

export function sealSecret(masterKey: Secret<Buffer>, context: string, secret: Secret): string {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', masterKey.reveal(), nonce);
  cipher.setAAD(Buffer.from(`callreel secret ${context}`));
  const body = Buffer.concat([cipher.update(secret.reveal(), 'utf8'), cipher.final()]);
  return Buffer.concat([Uint8Array.of(sealVersion), nonce, body, cipher.getAuthTag()]).toString('base64');
}

/** @throws CallreelError SPOOL_KEY_MISSING when another master key sealed it, or for another context */
export function openSecret(masterKey: Secret<Buffer>, context: string, sealed: string): Secret {
  const bytes = Buffer.from(sealed, 'base64');
  const failure = new CallreelError('SPOOL_KEY_MISSING', 'the master key does not open a kept secret', {
    where: context,
  });
  if (bytes.length < 1 + nonceBytes + tagBytes || bytes[0] !== sealVersion) throw failure;
  const decipher = createDecipheriv('aes-256-gcm', masterKey.reveal(), bytes.subarray(1, 1 + nonceBytes));
  decipher.setAAD(Buffer.from(`callreel secret ${context}`));
  decipher.setAuthTag(bytes.subarray(-tagBytes));
  try {
    const body = bytes.subarray(1 + nonceBytes, -tagBytes);
    return new Secret(Buffer.concat([decipher.update(body), decipher.final()]).toString('utf8'));
  } catch {
    throw failure;
  }
}
