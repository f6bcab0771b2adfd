import { crc32 } from 'node:zlib';
import { writeUint32, writeUint48 } from '../big-endian.ts';
import { crc32Of } from './crc-32.ts';

/**
 * The journal's format: what becomes of manifests and segments (big endian).
 *
 *     file header, 8 bytes     'CRJN' | version u8 = 2 | 0, 3 bytes
 *     entry header, 24 bytes   kind u8 | path bytes u8 | 0 u16 | body bytes u32 | number u64
 *                              | body CRC-32 u32 | CRC-32 of the header from its second byte, and the path, u32
 *     path (ASCII, relative to the spool directory) | body
 *
 *     kind    path                       number                       body
 *     append  a manifest                 where it lies in the file    bytes of the file
 *     group   the leader's segment       of the leader's entries      records of segments, sealed (`journal-group.ts`)
 *     void
 *
 * `kind` stands outside the checksum: erasing a recording turns its entries void by one byte and zeroes their
 * bodies, while everything after them stays readable. Version 1 is read as well: it has no groups but appends to
 * segments, whose bytes are sealed already.
 */
export const journalHeaderBytes = 8;
export const entryHeaderBytes = 24;
const magic = 0x43524a4e;
const version = 2;
const oldestVersion = 1;
const versionOffset = 4;
const kindAppend = 0xa5;
const kindGroup = 0xa6;
export const kindVoid = 0x00;

export function journalHeader(): Buffer {
  const header = Buffer.alloc(journalHeaderBytes);
  header.writeUInt32BE(magic, 0);
  header[versionOffset] = version;
  return header;
}

export interface JournalEntry {
  /** Relative to the spool directory. */
  path: string;
  /** Where the body belongs in its file; of a group its number. */
  offset: number;
  body: Uint8Array;
}

export type JournalKind = 'append' | 'group' | 'void';

export function entryBytes(path: string, bodyBytes: number): number {
  return entryHeaderBytes + path.length + bodyBytes;
}

/** Writes one entry into `out` at `at`. @returns the position behind it */
export function writeEntry(out: Buffer, at: number, { path, offset, body }: JournalEntry): number {
  out.write(path, at + entryHeaderBytes, 'latin1');
  out.set(body, at + entryHeaderBytes + path.length);
  return writeEntryHeader(out, at, 'append', path.length, offset, body.length);
}

/**
 * Writes the header of an entry at `at` whose path and body are in their places already.
 * @returns the position behind the entry
 */
export function writeEntryHeader(
  out: Buffer,
  at: number,
  kind: 'append' | 'group',
  pathBytes: number,
  offset: number,
  bodyBytes: number,
): number {
  const bodyAt = at + entryHeaderBytes + pathBytes;
  out[at] = kind === 'group' ? kindGroup : kindAppend;
  out[at + 1] = pathBytes;
  out[at + 2] = out[at + 3] = 0;
  writeUint32(out, at + 4, bodyBytes);
  out[at + 8] = out[at + 9] = 0;
  writeUint48(out, at + 10, offset);
  writeUint32(out, at + 16, crc32(new Uint8Array(out.buffer, out.byteOffset + bodyAt, bodyBytes)));
  writeUint32(out, at + 20, headerCrc(out, at, pathBytes));
  return bodyAt + bodyBytes;
}

function headerCrc(bytes: Buffer, at: number, pathBytes: number): number {
  const pathAt = at + entryHeaderBytes;
  return crc32Of(bytes, pathAt, pathAt + pathBytes, crc32Of(bytes, at + 1, at + 20));
}

/** An entry with its own place in the journal file. */
export interface PlacedEntry extends JournalEntry {
  at: number;
  bodyAt: number;
  /** `void`: by an erasure; its body is zeroes. */
  kind: JournalKind;
}

export interface DecodedJournal {
  entries: PlacedEntry[];
  /** Bytes up to the end of the last whole entry: the rest is a torn tail, or of a version this code does not know. */
  goodBytes: number;
}

/** @returns of the whole entry, of which header and path are there at least; undefined where no entry begins */
export function entryBytesAt(bytes: Buffer, at: number): number | undefined {
  if (at + entryHeaderBytes > bytes.length) return undefined;
  const pathBytes = bytes[at + 1]!;
  if (at + entryHeaderBytes + pathBytes > bytes.length) return undefined;
  if (bytes.readUInt32BE(at + 20) !== headerCrc(bytes, at, pathBytes)) return undefined;
  return entryHeaderBytes + pathBytes + bytes.readUInt32BE(at + 4);
}

function entryAt(bytes: Buffer, at: number, checksBodies: boolean): PlacedEntry | undefined {
  const length = entryBytesAt(bytes, at);
  if (length === undefined || at + length > bytes.length) return undefined;
  const bodyAt = at + entryHeaderBytes + bytes[at + 1]!;
  const kind = kinds[bytes[at]!];
  const body = bytes.subarray(bodyAt, at + length);
  if (!kind) return undefined;
  if (checksBodies && kind !== 'void' && bytes.readUInt32BE(at + 16) !== crc32(body)) return undefined;
  const path = bytes.toString('latin1', at + entryHeaderBytes, bodyAt);
  return { at, bodyAt, path, offset: Number(bytes.readBigUInt64BE(at + 8)), body, kind };
}

const kinds: Readonly<Record<number, JournalKind>> = {
  [kindAppend]: 'append',
  [kindGroup]: 'group',
  [kindVoid]: 'void',
};

function isJournal(bytes: Buffer): boolean {
  const header = journalHeader();
  const found = bytes[versionOffset] ?? 0;
  if (found >= oldestVersion && found < version) header[versionOffset] = found;
  return bytes.subarray(0, journalHeaderBytes).equals(header);
}

/**
 * Reads as far as entries are whole; never throws. Bodies are views into `bytes`.
 * @param checksBodies false where only entries' places and paths are asked for
 */
export function decodeJournal(bytes: Buffer, checksBodies = true): DecodedJournal {
  return isJournal(bytes)
    ? decodeEntries(bytes, journalHeaderBytes, checksBodies)
    : { entries: [], goodBytes: 0 };
}

/** As `decodeJournal`, where an entry begins at `start`. */
export function decodeEntries(bytes: Buffer, start: number, checksBodies: boolean): DecodedJournal {
  const entries: PlacedEntry[] = [];
  let at = start;
  const next = (): PlacedEntry | undefined => entryAt(bytes, at, checksBodies);
  for (let entry = next(); entry; entry = next()) {
    entries.push(entry);
    at += entryBytes(entry.path, entry.body.length);
  }
  return { entries, goodBytes: at };
}
