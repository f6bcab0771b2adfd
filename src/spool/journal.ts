import { crc32 } from 'node:zlib';

/**
 * The journal's format: a physical log of appends, ignorant of their content (big endian).
 *
 *     file header, 8 bytes     'CRJN' | version u8 = 1 | 0, 3 bytes
 *     entry header, 24 bytes   kind u8 | path bytes u8 | 0 u16 | body bytes u32 | target offset u64
 *                              | body CRC-32 u32 | CRC-32 of the header from its second byte, and the path, u32
 *     path (ASCII, relative to the spool directory) | body
 *
 * `kind` stands outside the checksum: erasing a recording turns its entries void by one byte and zeroes their
 * bodies, while everything after them stays readable.
 */
export const journalHeaderBytes = 8;
export const entryHeaderBytes = 24;
const magic = 0x43524a4e;
const version = 1;
const kindAppend = 0xa5;
export const kindVoid = 0x00;

export function journalHeader(): Buffer {
  const header = Buffer.alloc(journalHeaderBytes);
  header.writeUInt32BE(magic, 0);
  header[4] = version;
  return header;
}

export interface JournalEntry {
  /** Relative to the spool directory. */
  path: string;
  /** Where the body belongs in its file. */
  offset: number;
  body: Uint8Array;
}

export function entryBytes(path: string, bodyBytes: number): number {
  return entryHeaderBytes + path.length + bodyBytes;
}

/** Writes one entry into `out` at `at`. @returns the position behind it */
export function writeEntry(out: Buffer, at: number, { path, offset, body }: JournalEntry): number {
  out[at] = kindAppend;
  out[at + 1] = path.length;
  out.writeUInt16BE(0, at + 2);
  out.writeUInt32BE(body.length, at + 4);
  out.writeBigUInt64BE(BigInt(offset), at + 8);
  out.writeUInt32BE(crc32(body), at + 16);
  const pathAt = at + entryHeaderBytes;
  out.write(path, pathAt, path.length, 'latin1');
  out.writeUInt32BE(headerCrc(out, at, path.length), at + 20);
  out.set(body, pathAt + path.length);
  return pathAt + path.length + body.length;
}

function headerCrc(bytes: Buffer, at: number, pathBytes: number): number {
  const fields = crc32(bytes.subarray(at + 1, at + 20));
  return crc32(bytes.subarray(at + entryHeaderBytes, at + entryHeaderBytes + pathBytes), fields);
}

/** An entry with its own place in the journal file. */
export interface PlacedEntry extends JournalEntry {
  at: number;
  bodyAt: number;
  /** Turned void by an erasure; its body is zeroes. */
  isVoid: boolean;
}

export interface DecodedJournal {
  entries: PlacedEntry[];
  /** Bytes up to the end of the last whole entry: the rest is a torn tail, or of a version this code does not know. */
  goodBytes: number;
}

function entryAt(bytes: Buffer, at: number): PlacedEntry | undefined {
  if (at + entryHeaderBytes > bytes.length) return undefined;
  const pathBytes = bytes[at + 1]!;
  const bodyAt = at + entryHeaderBytes + pathBytes;
  const bodyBytes = bytes.readUInt32BE(at + 4);
  if (bodyAt + bodyBytes > bytes.length) return undefined;
  if (bytes.readUInt32BE(at + 20) !== headerCrc(bytes, at, pathBytes)) return undefined;
  const isVoid = bytes[at] === kindVoid;
  const body = bytes.subarray(bodyAt, bodyAt + bodyBytes);
  if (!isVoid && (bytes[at] !== kindAppend || bytes.readUInt32BE(at + 16) !== crc32(body))) return undefined;
  const path = bytes.toString('latin1', at + entryHeaderBytes, bodyAt);
  return { at, bodyAt, path, offset: Number(bytes.readBigUInt64BE(at + 8)), body, isVoid };
}

/** Reads as far as entries are whole; never throws. Bodies are views into `bytes`. */
export function decodeJournal(bytes: Buffer): DecodedJournal {
  const entries: PlacedEntry[] = [];
  if (!bytes.subarray(0, journalHeaderBytes).equals(journalHeader())) return { entries, goodBytes: 0 };
  let at = journalHeaderBytes;
  for (let entry = entryAt(bytes, at); entry; entry = entryAt(bytes, at)) {
    entries.push(entry);
    at += entryBytes(entry.path, entry.body.length);
  }
  return { entries, goodBytes: at };
}
