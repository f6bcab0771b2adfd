import { createCipheriv, createDecipheriv } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { CallreelError } from '../errors.ts';

/**
 * A segment file: one span of one stream under one key (big endian).
 *
 *     file header, 16 bytes    'CRSG' | version u8 = 2 | cipher u8 = 1 | 0 u16 | segment id, 8 bytes
 *     chunk                    kind u8 | body bytes u24 | chunk number u32 | CRC-32 of the 8 bytes before
 *                              | sealed body | GCM tag, 16 bytes
 *
 * Cipher 1 is AES-256-GCM; the nonce is the chunk number, unique because each segment has its own key and is
 * written once. Version 1 is read as well; it differs in the records alone (`record-codec.ts`). File header and chunk header are authenticated with the body, so that no chunk can be altered,
 * moved, swapped, left out, or brought in from another segment. The last chunk of a finished segment is of the kind
 * `end` and empty: without one the file was cut off.
 */
export const segmentHeaderBytes = 16;
export const chunkHeaderBytes = 12;
export const tagBytes = 16;
export const chunkOverheadBytes = chunkHeaderBytes + tagBytes;
export const segmentKeyBytes = 32;
/** A writer seals at least this often, and a reader never believes more. */
export const maxChunkBodyBytes = 0x10_0000;

export const chunkData = 1;
export const chunkEnd = 2;
export type ChunkKind = typeof chunkData | typeof chunkEnd;

const magic = 0x43525347;
const version = 2;
const oldestVersion = 1;
const versionOffset = 4;
const cipherAes256Gcm = 1;
const segmentIdPattern = /^[0-9a-f]{16}$/;

/** @param segmentId 16 hex digits, as `newId` makes them */
export function segmentHeader(segmentId: string): Buffer {
  if (!segmentIdPattern.test(segmentId)) throw new TypeError(`a segment id is 16 hex digits: ${segmentId}`);
  const header = Buffer.alloc(segmentHeaderBytes);
  header.writeUInt32BE(magic, 0);
  header[versionOffset] = version;
  header[5] = cipherAes256Gcm;
  header.write(segmentId, 8, 'hex');
  return header;
}

const nonce = Buffer.alloc(12);
/** File header, and what the CRC of the chunk header is of. */
const authenticated = Buffer.alloc(segmentHeaderBytes + 8);

/** The same memory every time: a cipher takes it while it is made. */
function nonceOf(chunkNumber: number): Buffer {
  nonce.writeUInt32BE(chunkNumber, 8);
  return nonce;
}

/** The same memory every time: a cipher takes it at once. */
function authenticatedOf(header: Uint8Array, chunk: Uint8Array): Buffer {
  authenticated.set(header);
  authenticated.set(chunk.subarray(0, 8), segmentHeaderBytes);
  return authenticated;
}

/** @returns the whole chunk, ready to be appended */
export function sealChunk(
  key: Uint8Array,
  header: Uint8Array,
  chunkNumber: number,
  kind: ChunkKind,
  body: Uint8Array,
): Buffer {
  const chunk = Buffer.allocUnsafe(chunkOverheadBytes + body.length);
  chunk.writeUInt32BE((kind << 24) + body.length, 0);
  chunk.writeUInt32BE(chunkNumber, 4);
  chunk.writeUInt32BE(crc32(chunk.subarray(0, 8)), 8);
  const cipher = createCipheriv('aes-256-gcm', key, nonceOf(chunkNumber));
  cipher.setAAD(authenticatedOf(header, chunk));
  cipher.update(body).copy(chunk, chunkHeaderBytes);
  cipher.final();
  cipher.getAuthTag().copy(chunk, chunkHeaderBytes + body.length);
  return chunk;
}

export interface ChunkHeader {
  kind: ChunkKind;
  bodyBytes: number;
  chunkNumber: number;
}

/** @returns undefined when the 12 bytes are no chunk header */
export function parseChunkHeader(bytes: Uint8Array): ChunkHeader | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, chunkHeaderBytes);
  if (view.getUint32(8) !== crc32(bytes.subarray(0, 8))) return undefined;
  const kind = view.getUint8(0);
  const bodyBytes = view.getUint32(0) & 0xff_ffff;
  if ((kind !== chunkData && kind !== chunkEnd) || bodyBytes > maxChunkBodyBytes) return undefined;
  return { kind, bodyBytes, chunkNumber: view.getUint32(4) };
}

/**
 * @param chunk a whole chunk as `sealChunk` made it
 * @returns the body, or undefined when it was not sealed with this key, in this segment, at this place
 */
export function openChunk(key: Uint8Array, header: Uint8Array, chunk: Uint8Array): Buffer | undefined {
  const parsed = parseChunkHeader(chunk);
  if (!parsed || chunk.length !== chunkOverheadBytes + parsed.bodyBytes) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(parsed.chunkNumber));
  decipher.setAAD(authenticatedOf(header, chunk));
  decipher.setAuthTag(chunk.subarray(chunk.length - tagBytes));
  const body = decipher.update(chunk.subarray(chunkHeaderBytes, chunk.length - tagBytes));
  try {
    decipher.final();
  } catch {
    return undefined;
  }
  return body;
}

/** @throws CallreelError SPOOL_CORRUPT when the file is not the segment it is named after */
export function assertSegmentHeader(bytes: Uint8Array, segmentId: string, where: string): void {
  const expected = segmentHeader(segmentId);
  const found = bytes[versionOffset];
  if (found !== undefined && found >= oldestVersion && found < version) expected[versionOffset] = found;
  if (!expected.equals(bytes))
    throw new CallreelError('SPOOL_CORRUPT', 'the segment header is damaged or of a later version', {
      where,
    });
}
