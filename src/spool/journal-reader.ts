import { fstatSync } from 'node:fs';
import { readInto } from './files.ts';
import { type DecodedJournal, decodeEntries, decodeJournal, entryBytesAt } from './journal.ts';

export interface JournalReading {
  /** So much of the file is in memory at once; more where an entry is longer. */
  windowBytes: number;
  /** As of `decodeJournal`. */
  checksBodies?: boolean;
}

/**
 * As `decodeJournal`, some entries after others, up to where the file ends now; all positions are in the file. There is
 * one at least.
 * @returns bodies are valid until the next are asked for
 */
export function* readJournal(
  fd: number,
  { windowBytes, checksBodies = true }: JournalReading,
): Generator<DecodedJournal> {
  const { size } = fstatSync(fd);
  let window = Buffer.allocUnsafeSlow(Math.min(windowBytes, size));
  for (let position = 0; ; ) {
    const bytes = readInto(window.subarray(0, size - position), fd, position);
    // As much as there is, or was before somebody cut it off.
    const isWhole = bytes.length < window.length || position + bytes.length >= size;
    const decoded =
      position === 0 ? decodeJournal(bytes, checksBodies) : decodeEntries(bytes, 0, checksBodies);
    for (const entry of decoded.entries) {
      entry.at += position;
      entry.bodyAt += position;
    }
    position += decoded.goodBytes;
    yield { entries: decoded.entries, goodBytes: position };
    if (isWhole) return;
    if (decoded.goodBytes > 0) continue;
    const neededBytes = entryBytesAt(bytes, 0);
    // Damaged; or a path that a window has no room for, of which none is so small.
    if (position === 0 || neededBytes === undefined || neededBytes <= bytes.length) return;
    window = Buffer.allocUnsafeSlow(Math.min(neededBytes, size - position));
  }
}
