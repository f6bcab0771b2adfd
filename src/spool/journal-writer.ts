import { closeSync, fdatasyncSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { listDirectory, syncPath } from './files.ts';
import type { GroupRows } from './group-rows.ts';
import {
  entryBytes,
  entryHeaderBytes,
  type JournalEntry,
  journalHeader,
  journalHeaderBytes,
  writeEntry,
  writeEntryHeader,
} from './journal.ts';
import { journalFileName, parseJournalFileName } from './layout.ts';
import { releaseMemory } from './release-memory.ts';
import { tagBytes } from './segment.ts';

export interface JournalWriterOptions {
  directory: string;
  workerId: string;
  /** Longest time a written byte may wait for its fdatasync. */
  syncAfterUs: number;
}

const firstBatchBytes = 64 * 1024;
/** More than a busy worker writes at once: what grew beyond it is given back at once. */
const keptBatchBytes = 8 * 1024 * 1024;
/** So many times what was written at once into a whole file, or more, is given back. */
const keptTimes = 2;

/** The journal at the edge: gathers entries, then one write for all of them. The file is made by its first entry. */
export class JournalWriter {
  readonly #options: JournalWriterOptions;
  #batch: Buffer<ArrayBuffer> = Buffer.allocUnsafeSlow(firstBatchBytes);
  #batchBytes = 0;
  #writtenOfBatch = 0;
  /** Written at once, of this file. */
  #mostBatchBytes = 0;
  #fd: number | undefined;
  #path: string | undefined;
  #fileBytes = 0;
  #openedUs = 0;
  #unsyncedSinceUs: number | undefined;
  #nextNumber: number | undefined;

  constructor(options: JournalWriterOptions) {
    this.#options = options;
  }

  /** Where entries are gathered; another one after each of them. */
  get batch(): Buffer {
    return this.#batch;
  }

  /** Bytes not written yet. */
  get waitingBytes(): number {
    return this.#batchBytes - this.#writtenOfBatch;
  }

  get fileBytes(): number {
    return this.#fileBytes;
  }

  /** When the running file was begun; undefined while there is none. */
  get openedUs(): number | undefined {
    return this.#fd === undefined ? undefined : this.#openedUs;
  }

  add(entry: JournalEntry): void {
    this.#reserve(entryBytes(entry.path, entry.body.length));
    this.#batchBytes = writeEntry(this.#batch, this.#batchBytes, entry);
  }

  /**
   * The body of a group is written where it is sealed: into `batch`, from the position on that this gives.
   * `endGroup` follows.
   */
  beginGroup(pathBytes: number, bodyBytes: number): number {
    this.#reserve(entryHeaderBytes + pathBytes + bodyBytes + tagBytes);
    return this.#batchBytes + entryHeaderBytes + pathBytes;
  }

  /** The body is in its place, of the group with this row. */
  endGroup(groups: GroupRows, row: number, bodyBytes: number): void {
    const at = this.#batchBytes;
    const bodyAt = groups.writePath(row, this.#batch, at + entryHeaderBytes);
    const number = groups.seal(row, this.#batch, bodyAt, bodyBytes);
    const pathBytes = bodyAt - at - entryHeaderBytes;
    this.#batchBytes = writeEntryHeader(this.#batch, at, 'group', pathBytes, number, bodyBytes + tagBytes);
  }

  /**
   * Writes the batch. After an error the rest of it stays, and the next call goes on where this one stopped.
   * @throws the file system's error
   */
  flush(nowUs: number, urgent: boolean): void {
    if (this.waitingBytes > 0) this.#write(nowUs);
    if (this.#unsyncedSinceUs === undefined) return;
    if (!urgent && nowUs - this.#unsyncedSinceUs < this.#options.syncAfterUs) return;
    fdatasyncSync(this.#fd!);
    this.#unsyncedSinceUs = undefined;
  }

  /** Ends the running file, synced; the next entry begins another. @returns its path, to be deleted once settled */
  rotate(nowUs: number): string | undefined {
    if (this.#fd === undefined) return undefined;
    this.flush(nowUs, true);
    closeSync(this.#fd);
    this.#fd = undefined;
    this.#fitBatch();
    return this.#path;
  }

  #write(nowUs: number): void {
    this.#fd ??= this.#openNext(nowUs);
    while (this.#writtenOfBatch < this.#batchBytes) {
      const rest = this.#batchBytes - this.#writtenOfBatch;
      const written = writeSync(this.#fd, this.#batch, this.#writtenOfBatch, rest, this.#fileBytes);
      this.#writtenOfBatch += written;
      this.#fileBytes += written;
    }
    this.#unsyncedSinceUs ??= nowUs;
    this.#mostBatchBytes = Math.max(this.#mostBatchBytes, this.#batchBytes);
    this.#batchBytes = 0;
    this.#writtenOfBatch = 0;
    if (this.#batch.length > keptBatchBytes) this.#replaceBatch(firstBatchBytes);
  }

  #fitBatch(): void {
    let bytes = this.#batch.length;
    while (bytes > firstBatchBytes && bytes >= keptTimes * this.#mostBatchBytes) bytes /= 2;
    if (bytes < this.#batch.length) this.#replaceBatch(bytes);
    this.#mostBatchBytes = 0;
  }

  #replaceBatch(bytes: number): void {
    const old = this.#batch;
    this.#batch = Buffer.allocUnsafeSlow(bytes);
    old.copy(this.#batch, 0, 0, this.#batchBytes);
    releaseMemory(old);
  }

  #openNext(nowUs: number): number {
    const { directory, workerId } = this.#options;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    this.#nextNumber ??= this.#firstFreeNumber();
    this.#path = join(directory, journalFileName(workerId, this.#nextNumber));
    const fd = openSync(this.#path, 'wx', 0o600);
    this.#nextNumber++;
    try {
      writeSync(fd, journalHeader(), 0, journalHeaderBytes, 0);
      syncPath(directory);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    this.#fileBytes = journalHeaderBytes;
    this.#openedUs = nowUs;
    return fd;
  }

  #firstFreeNumber(): number {
    syncPath(dirname(this.#options.directory));
    let highest = 0;
    for (const name of listDirectory(this.#options.directory)) {
      const parsed = parseJournalFileName(name);
      if (parsed?.workerId === this.#options.workerId) highest = Math.max(highest, parsed.number);
    }
    return highest + 1;
  }

  #reserve(moreBytes: number): void {
    const neededBytes = this.#batchBytes + moreBytes;
    if (neededBytes <= this.#batch.length) return;
    let bytes = this.#batch.length;
    while (bytes < neededBytes) bytes *= 2;
    this.#replaceBatch(bytes);
  }
}
