import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { CallreelError } from '../../errors.ts';
import type { Secret } from '../../secret.ts';

/**
 * What a file of our own store looks like on the disk: chunks of 64 KiB, each `nonce, 12 bytes | AES-256-GCM | tag, 16
 * bytes` and bound to its place, so that any part of the file can be written and read by itself.
 */
export const chunkBytes = 64 * 1024;
const nonceBytes = 12;
const tagBytes = 16;
export const sealedChunkBytes = nonceBytes + chunkBytes + tagBytes;

/** Of the plain file that sealed chunks hold. */
export function plainLength(sealedBytes: number): number {
  const chunks = Math.ceil(sealedBytes / sealedChunkBytes);
  return Math.max(0, sealedBytes - chunks * (nonceBytes + tagBytes));
}

/** @param content whole chunks, but for the last one of the file */
export function sealChunks(key: Secret<Buffer>, firstChunk: number, content: Uint8Array): Buffer {
  const sealed: Uint8Array[] = [];
  for (let at = 0; at < content.length; at += chunkBytes) {
    const nonce = randomBytes(nonceBytes);
    const cipher = createCipheriv('aes-256-gcm', key.reveal(), nonce);
    cipher.setAAD(placeOf(firstChunk + at / chunkBytes));
    const body = cipher.update(content.subarray(at, at + chunkBytes));
    sealed.push(nonce, body, cipher.final(), cipher.getAuthTag());
  }
  return Buffer.concat(sealed);
}

/** @throws CallreelError SPOOL_CORRUPT */
export function openChunks(key: Secret<Buffer>, firstChunk: number, sealed: Uint8Array): Buffer {
  const plain: Uint8Array[] = [];
  for (let at = 0; at < sealed.length; at += sealedChunkBytes)
    plain.push(
      openChunk(key, firstChunk + at / sealedChunkBytes, sealed.subarray(at, at + sealedChunkBytes)),
    );
  return Buffer.concat(plain);
}

function openChunk(key: Secret<Buffer>, chunk: number, sealed: Uint8Array): Buffer {
  try {
    const decipher = createDecipheriv('aes-256-gcm', key.reveal(), sealed.subarray(0, nonceBytes));
    decipher.setAAD(placeOf(chunk));
    decipher.setAuthTag(sealed.subarray(-tagBytes));
    return Buffer.concat([decipher.update(sealed.subarray(nonceBytes, -tagBytes)), decipher.final()]);
  } catch (cause) {
    throw new CallreelError('SPOOL_CORRUPT', `chunk ${chunk} of a stored file does not open`, { cause });
  }
}

function placeOf(chunk: number): Buffer {
  return Buffer.from(`callreel store ${chunk}`);
}
