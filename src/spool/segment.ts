import { crc32 } from 'node:zlib';
import { CallreelError } from '../errors.ts';
import { aesGcm } from './aes-gcm.ts';
import { gcmTagBytes } from './gcm.ts';

/**
 * A segment file: one span of one stream under one key (big endian).
 *
 *     file header, 16 bytes    'CRSG' | version u8 = 3 | cipher u8 = 1 | 0 u16 | segment id, 8 bytes
 *     chunk                    kind u8 | body bytes u24 | chunk number u32 | CRC-32 of the 8 bytes before
 *                              | sealed body | GCM tag, 16 bytes
 *
 * Cipher 1 is AES-256-GCM; the nonce is the chunk number, behind eight bytes that are 0. The writer seals each number
 * once. A recovery may seal again what of the writer's last chunks did not reach the disk: its chunks are of a kind
 * with `chunkRecovered` in it, which is the first byte of their nonces. File header and chunk header are authenticated
 * with the body, so that no chunk can be altered, moved, swapped, left out, or brought in from another segment. The
 * last chunk of a finished segment is of the kind `end` and empty: without one the file was cut off.
 *
 * Versions 1 and 2 are read as well: 2 has no recovered chunks, 1 fewer records (`record-codec.ts`).
 */
export const segmentHeaderBytes = 16;
export const chunkHeaderBytes = 12;
export const tagBytes = gcmTagBytes;
export const chunkOverheadBytes = chunkHeaderBytes + tagBytes;
export const segmentKeyBytes = 32;
/** A writer seals at least this often, and a reader never believes more. */
export const maxChunkBodyBytes = 0x10_0000;

export const chunkData = 1;
export const chunkEnd = 2;
export type ChunkKind = typeof chunkData | typeof chunkEnd;
/** Added to the kind of a chunk that a recovery sealed. */
const chunkRecovered = 0x80;

const magic = 0x43525347;
const version = 3;
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

/** The same memory every time: it is taken at once. */
function nonceOf(chunkNumber: number, recovered: boolean): Buffer {
  nonce[0] = recovered ? chunkRecovered : 0;
  nonce.writeUInt32BE(chunkNumber, 8);
  return nonce;
}

/** The same memory every time: it is taken at once. */
function authenticatedOf(header: Uint8Array, chunk: Uint8Array): Buffer {
  for (let at = 0; at < segmentHeaderBytes; at++) authenticated[at] = header[at]!;
  for (let at = 0; at < 8; at++) authenticated[segmentHeaderBytes + at] = chunk[at]!;
  return authenticated;
}

/**
 * @param recovered sealed by a recovery, in place of what a writer may have sealed under the same number
 * @returns the whole chunk, ready to be appended
 */
export function sealChunk(
  key: Uint8Array,
  header: Uint8Array,
  chunkNumber: number,
  kind: ChunkKind,
  body: Uint8Array,
  recovered = false,
): Buffer {
  const chunk = Buffer.allocUnsafe(chunkOverheadBytes + body.length);
  chunk.set(body, chunkHeaderBytes);
  sealChunkInPlace(key, header, chunkNumber, kind, chunk, recovered);
  return chunk;
}

/** @param chunk the whole chunk, in which only the body is in its place */
export function sealChunkInPlace(
  key: Uint8Array,
  header: Uint8Array,
  chunkNumber: number,
  kind: ChunkKind,
  chunk: Buffer,
  recovered = false,
): void {
  const bodyBytes = chunk.length - chunkOverheadBytes;
  chunk.writeUIntBE(bodyBytes, 1, 3);
  chunk[0] = kind + (recovered ? chunkRecovered : 0);
  chunk.writeUInt32BE(chunkNumber, 4);
  chunk.writeUInt32BE(crc32(chunk.subarray(0, 8)), 8);
  const sealed = chunk.subarray(chunkHeaderBytes);
  const body = sealed.subarray(0, bodyBytes);
  aesGcm().seal(key, nonceOf(chunkNumber, recovered), authenticatedOf(header, chunk), body, sealed);
}

export interface ChunkHeader {
  kind: ChunkKind;
  recovered: boolean;
  bodyBytes: number;
  chunkNumber: number;
}

/** @returns undefined when the 12 bytes are no chunk header */
export function parseChunkHeader(bytes: Uint8Array): ChunkHeader | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, chunkHeaderBytes);
  if (view.getUint32(8) !== crc32(bytes.subarray(0, 8))) return undefined;
  const recovered = view.getUint8(0) >= chunkRecovered;
  const kind = view.getUint8(0) & ~chunkRecovered;
  const bodyBytes = view.getUint32(0) & 0xff_ffff;
  if ((kind !== chunkData && kind !== chunkEnd) || bodyBytes > maxChunkBodyBytes) return undefined;
  return { kind, recovered, bodyBytes, chunkNumber: view.getUint32(4) };
}

/**
 * @param chunk a whole chunk as `sealChunk` made it
 * @param out memory for the body, where it need not be its own
 * @returns the body, or undefined when it was not sealed with this key, in this segment, at this place
 */
export function openChunk(
  key: Uint8Array,
  header: Uint8Array,
  chunk: Uint8Array,
  out?: Buffer,
): Buffer | undefined {
  const parsed = parseChunkHeader(chunk);
  if (!parsed || chunk.length !== chunkOverheadBytes + parsed.bodyBytes) return undefined;
  return openParsedChunk(key, header, chunk, parsed, out);
}

/** As `openChunk`. @param parsed of the chunk, which is as long as it says */
export function openParsedChunk(
  key: Uint8Array,
  header: Uint8Array,
  chunk: Uint8Array,
  { bodyBytes, chunkNumber, recovered }: ChunkHeader,
  out?: Buffer,
): Buffer | undefined {
  const body = out ? out.subarray(0, bodyBytes) : Buffer.allocUnsafeSlow(bodyBytes);
  const sealed = chunk.subarray(chunkHeaderBytes);
  const authentic = authenticatedOf(header, chunk);
  return aesGcm().open(key, nonceOf(chunkNumber, recovered), authentic, sealed, body) ? body : undefined;
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
