import { createHmac } from 'node:crypto';
import { writeUint32, writeUint48 } from '../big-endian.ts';
import { aesGcm } from './aes-gcm.ts';
import { gcmKeyBytes, gcmNonceBytes } from './gcm.ts';
import { segmentKeyBytes, tagBytes } from './segment.ts';

/**
 * What one turn of the writer adds to the segments of one conversation that the same recordings want, as one sealed
 * body of a journal entry (big endian); `docs/spool.md` tells why these are together.
 *
 *     body before it is sealed, for each segment:
 *       segment id, 8 bytes | flags u8, 1 = closed | 0 | position u48 | bytes u32 | whole records
 *
 * `position` counts the bytes of the segment's records before these. The body is sealed by AES-256-GCM and followed by
 * the tag, 16 bytes. Its key is that of one of these segments, the *leader*, by HMAC-SHA-256; the nonce is the number
 * of the entry among those under this key. So whoever may read these segments may read the entry, and nobody else.
 */
export const partHeaderBytes = 20;
const flagClosed = 1;

export interface GroupPart {
  /** 16 hex digits. */
  segmentId: string;
  /** No record follows these. */
  closed: boolean;
  position: number;
  records: Buffer;
}

export function groupKey(leaderKey: Uint8Array): Buffer {
  return createHmac('sha256', leaderKey).update('callreel journal').digest().subarray(0, segmentKeyBytes);
}

/** @param idHigh the first half of the segment id, as a number */
export function writePartHeader(
  out: Buffer,
  at: number,
  idHigh: number,
  idLow: number,
  closed: boolean,
  position: number,
  recordBytes: number,
): void {
  writeUint32(out, at, idHigh);
  writeUint32(out, at + 4, idLow);
  out[at + 8] = closed ? flagClosed : 0;
  out[at + 9] = 0;
  writeUint48(out, at + 10, position);
  writeUint32(out, at + 16, recordBytes);
}

/** Bytes of the nonce before the number. */
const nonceZeros = gcmNonceBytes - 6;

function writeNonce(out: Uint8Array, at: number, number: number): void {
  for (let k = 0; k < nonceZeros; k++) out[at + k] = 0;
  writeUint48(out, at + nonceZeros, number);
}

/**
 * Seals a body of so many bytes where it is, from `at` on; there is space for the tag behind it.
 * @param keys has the key at `keyAt`, and space for the nonce behind it
 */
export function sealGroup(
  keys: Buffer,
  keyAt: number,
  number: number,
  out: Buffer,
  at: number,
  bodyBytes: number,
): void {
  writeNonce(keys, keyAt + gcmKeyBytes, number);
  aesGcm().sealInPlace(keys, keyAt, out, at, bodyBytes);
}

/** The same memory every time: it is taken at once. */
const nonce = Buffer.alloc(gcmNonceBytes);

/** @returns undefined when it was not sealed so */
export function openGroup(key: Uint8Array, number: number, sealed: Uint8Array): GroupPart[] | undefined {
  if (sealed.length < tagBytes) return undefined;
  const body = Buffer.allocUnsafeSlow(sealed.length - tagBytes);
  writeNonce(nonce, 0, number);
  return aesGcm().open(key, nonce, undefined, sealed, body) ? partsOf(body) : undefined;
}

function partsOf(body: Buffer): GroupPart[] | undefined {
  const parts: GroupPart[] = [];
  for (let at = 0; at < body.length; ) {
    const recordsAt = at + partHeaderBytes;
    if (recordsAt > body.length) return undefined;
    const end = recordsAt + body.readUInt32BE(at + 16);
    if (end > body.length) return undefined;
    parts.push({
      segmentId: body.toString('hex', at, at + 8),
      closed: body[at + 8] === flagClosed,
      position: body.readUIntBE(at + 10, 6),
      records: body.subarray(recordsAt, end),
    });
    at = end;
  }
  return parts;
}
