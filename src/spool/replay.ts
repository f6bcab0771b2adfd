import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { isMissing, listDirectory, syncPath } from './files.ts';
import { type DecodedJournal, type JournalEntry, journalHeaderBytes } from './journal.ts';
import { readJournal } from './journal-reader.ts';
import type { MasterKey } from './keys.ts';
import { isSpoolFile, journalDirectoryOf, parseJournalFileName } from './layout.ts';
import { SegmentMender } from './segment-mender.ts';

/** So much of a journal is in memory at once. */
const windowBytes = 4 * 1024 * 1024;
/** Of groups more: for those that are in memory together each segment's file is walked through once. */
const mendingBytes = 128 * 1024 * 1024;

export interface ReplayReport {
  journals: number;
  entries: number;
  /**
   * Entries whose file was erased, or whose place lies behind the end of their file, or to which there is no key; of
   * entries with records of several segments, those segments.
   */
  skippedEntries: number;
  /** Bytes behind the last whole entry of each journal. */
  tornBytes: number;
}

/** Journals of one dead worker, or of all (before any worker runs), oldest first. */
function journalNames(spoolDirectory: string, workerId: string | undefined): string[] {
  const found: { name: string; workerId: string; number: number }[] = [];
  for (const name of listDirectory(journalDirectoryOf(spoolDirectory))) {
    const parsed = parseJournalFileName(name);
    if (parsed && (workerId === undefined || parsed.workerId === workerId)) found.push({ name, ...parsed });
  }
  found.sort((a, b) => (a.workerId < b.workerId ? -1 : a.workerId > b.workerId ? 1 : a.number - b.number));
  return found.map(({ name }) => name);
}

/**
 * Puts into the files what the journals of dead workers hold, then deletes those journals. What is in a file already
 * is not put there again, so it may be killed and begun again at any point. A file that is gone was erased: only an
 * entry for its first byte makes a file, and an erasure has turned those void, or taken the key to them.
 * A journal with records whose manifests this key does not open, or nobody can read, stays.
 */
export function replayJournals(
  spoolDirectory: string,
  masterKey: MasterKey,
  workerId?: string,
): ReplayReport {
  const report: ReplayReport = { journals: 0, entries: 0, skippedEntries: 0, tornBytes: 0 };
  const directory = journalDirectoryOf(spoolDirectory);
  const names = journalNames(spoolDirectory, workerId);
  const touched = new Set<string>();
  const done: string[] = [];
  const paths = names
    .map((name) => join(directory, name))
    .filter((path) => replayAppends(spoolDirectory, path, report, touched));
  // Behind the manifests of all journals: the keys are in them.
  const mender = new SegmentMender(spoolDirectory, masterKey);
  for (const path of paths) if (replayGroups(mender, path, report)) done.push(path);
  for (const path of [...touched, ...mender.touched]) syncPath(path);
  for (const path of done) unlinkSync(path);
  if (done.length > 0) syncPath(directory);
  return report;
}

/** @returns false for a journal of another version, which is put aside */
function replayAppends(
  spoolDirectory: string,
  path: string,
  report: ReplayReport,
  touched: Set<string>,
): boolean {
  const { size } = statSync(path);
  let goodBytes = 0;
  for (const part of partsOf(path, windowBytes)) {
    ({ goodBytes } = part);
    for (const entry of part.entries) {
      if (entry.kind !== 'append') continue;
      report.entries++;
      if (!isSpoolFile(entry.path) || !applyEntry(spoolDirectory, entry, touched)) report.skippedEntries++;
    }
  }
  if (goodBytes === 0 && size > journalHeaderBytes) {
    // Of another version: not ours to delete.
    renameSync(path, `${path}.unknown`);
    return false;
  }
  report.journals++;
  report.tornBytes += size - goodBytes;
  return true;
}

/** @returns false for a journal that has to stay */
function replayGroups(mender: SegmentMender, path: string, report: ReplayReport): boolean {
  let mayGo = true;
  for (const { entries } of partsOf(path, mendingBytes)) {
    const { applied, skipped, isUnreadable } = mender.apply(entries.filter(({ kind }) => kind === 'group'));
    report.entries += applied + skipped;
    report.skippedEntries += skipped;
    if (isUnreadable) mayGo = false;
  }
  return mayGo;
}

function* partsOf(path: string, bytes: number): Generator<DecodedJournal> {
  const fd = openSync(path, 'r');
  try {
    yield* readJournal(fd, { windowBytes: bytes });
  } finally {
    closeSync(fd);
  }
}

function applyEntry(spoolDirectory: string, entry: JournalEntry, touched: Set<string>): boolean {
  const path = join(spoolDirectory, entry.path);
  const fd = openTarget(path, entry.offset === 0);
  if (fd === undefined) return false;
  try {
    if (fstatSync(fd).size < entry.offset) return false;
    let done = 0;
    while (done < entry.body.length)
      done += writeSync(fd, entry.body, done, entry.body.length - done, entry.offset + done);
  } finally {
    closeSync(fd);
  }
  touched.add(path).add(dirname(path)).add(spoolDirectory);
  return true;
}

function openTarget(path: string, mayCreate: boolean): number | undefined {
  if (mayCreate) {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    return openSync(path, constants.O_WRONLY | constants.O_CREAT, 0o600);
  }
  try {
    return openSync(path, 'r+');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/**
 * Makes entries for these files void in every journal, one byte each, and zeroes what they held. A running worker
 * only ever appends to its journal, so this is safe beside it.
 * @param relativePaths relative to the spool directory
 */
export function voidJournalEntries(spoolDirectory: string, relativePaths: ReadonlySet<string>): void {
  const directory = journalDirectoryOf(spoolDirectory);
  for (const name of journalNames(spoolDirectory, undefined)) voidIn(join(directory, name), relativePaths);
}

function voidIn(path: string, relativePaths: ReadonlySet<string>): void {
  let fd: number;
  try {
    fd = openSync(path, 'r+');
  } catch (error) {
    // Retired meanwhile.
    if (isMissing(error)) return;
    throw error;
  }
  try {
    let changed = false;
    for (const { entries } of readJournal(fd, { windowBytes, checksBodies: false }))
      for (const entry of entries) {
        if (entry.kind === 'void' || !relativePaths.has(entry.path)) continue;
        writeSync(fd, Uint8Array.of(0), 0, 1, entry.at);
        writeSync(fd, new Uint8Array(entry.body.length), 0, entry.body.length, entry.bodyAt);
        changed = true;
      }
    if (changed) fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
