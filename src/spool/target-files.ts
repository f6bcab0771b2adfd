import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../clock.ts';
import { syncPath } from './files.ts';

/** A manifest or segment file that grows: accepted by the journal first, settled into the file later. */
export interface TargetFile {
  readonly conversation: Conversation;
  /** Relative to the spool directory. */
  readonly relativePath: string;
  readonly isManifest: boolean;
  /** Bytes accepted: where the next append goes. */
  length: number;
  settledBytes: number;
  syncedBytes: number;
  /** The file was made; it is never made twice. */
  created: boolean;
  /** Nothing more will be appended. */
  closed: boolean;
  /** Erased, or somebody else's: what is meant for it is dropped. */
  abandoned: boolean;
  /** Accepted, not settled. */
  readonly unsettled: Buffer[];
}

interface Conversation {
  readonly id: string;
  readonly files: Set<TargetFile>;
  /** A file was made in it since it was last synced. */
  directoryDirty: boolean;
}

/** For so many bytes of each of these. */
interface Wait {
  readonly files: Map<TargetFile, number>;
  readonly done: () => void;
}

export interface TargetFilesOptions {
  spoolDirectory: string;
  clock: Clock;
  /** Most time one call of `work` spends on the disk. */
  budgetUs: number;
  fault(message: string): void;
}

/**
 * The files that the journal's appends settle into. Files are opened for each write: a file that was erased
 * meanwhile is noticed, never made again, and no descriptor is held for it.
 */
export class TargetFiles {
  readonly #options: TargetFilesOptions;
  readonly #conversations = new Map<string, Conversation>();
  readonly #syncQueue = new Set<TargetFile>();
  #settleWaits: Wait[] = [];
  #waits: Wait[] = [];
  #unsettledBytes = 0;

  constructor(options: TargetFilesOptions) {
    this.#options = options;
  }

  get unsettledBytes(): number {
    return this.#unsettledBytes;
  }

  /** Whether some sync is wanted and not done. */
  get isBusy(): boolean {
    return this.#syncQueue.size > 0 || this.#waits.length > 0 || this.#settleWaits.length > 0;
  }

  open(conversationId: string, relativePath: string, isManifest: boolean): TargetFile {
    let conversation = this.#conversations.get(conversationId);
    if (!conversation) {
      conversation = { id: conversationId, files: new Set(), directoryDirty: false };
      this.#conversations.set(conversationId, conversation);
    }
    const start = { length: 0, settledBytes: 0, syncedBytes: 0, created: false };
    const ends = { closed: false, abandoned: false, unsettled: [] };
    const file: TargetFile = { conversation, relativePath, isManifest, ...start, ...ends };
    conversation.files.add(file);
    return file;
  }

  /** @returns the position at which the bytes will lie */
  append(file: TargetFile, bytes: Buffer): number {
    const offset = file.length;
    file.unsettled.push(bytes);
    file.length += bytes.length;
    this.#unsettledBytes += bytes.length;
    return offset;
  }

  /** Writes what the journal accepted into the files of the conversation, so that a reader sees it. */
  settleConversation(conversationId: string): void {
    const conversation = this.#conversations.get(conversationId);
    if (conversation) for (const file of conversation.files) this.settle(file);
  }

  /**
   * A segment file is on disk only after the manifest lines that name it: whoever erases a recording may take an
   * unnamed segment for an orphan.
   */
  settle(file: TargetFile): void {
    if (file.unsettled.length === 0) return;
    if (!file.isManifest)
      for (const other of file.conversation.files) if (other.isManifest) this.#settleOne(other);
    this.#settleOne(file);
  }

  settleWhereLarger(bytes: number): void {
    if (this.#unsettledBytes < bytes) return;
    for (const { files } of this.#conversations.values())
      for (const file of files) if (file.length - file.settledBytes >= bytes) this.settle(file);
  }

  /** Every file with bytes that a power cut would take from it. */
  unsynced(): TargetFile[] {
    const found: TargetFile[] = [];
    for (const { files } of this.#conversations.values())
      for (const file of files) if (file.syncedBytes < file.length) found.push(file);
    return found;
  }

  /** Calls `done` once everything accepted so far of these files is settled. They are synced when there is time for it. */
  whenSettled(files: Iterable<TargetFile>, done: () => void): void {
    const needed = new Map<TargetFile, number>();
    for (const file of files) {
      needed.set(file, file.length);
      this.#syncQueue.add(file);
    }
    this.#settleWaits.push({ files: needed, done });
  }

  /** Calls `done` once everything accepted so far of these files is settled and synced. */
  whenSynced(files: Iterable<TargetFile>, done: () => void): void {
    const needed = new Map<TargetFile, number>();
    for (const file of files) {
      if (file.syncedBytes >= file.length) {
        this.#forgetIfDone(file);
        continue;
      }
      needed.set(file, file.length);
      this.#syncQueue.add(file);
    }
    if (needed.size === 0) done();
    else this.#waits.push({ files: needed, done });
  }

  /** Settles and syncs what is waited for, as far as the time allows. */
  work(): void {
    const { clock, budgetUs, fault } = this.#options;
    this.#settleWaited();
    const untilUs = clock.monotonicUs() + budgetUs;
    for (const file of this.#syncQueue) {
      try {
        this.settle(file);
        this.#sync(file);
      } catch (error) {
        fault(`sync of ${file.relativePath}: ${String(error)}`);
        break;
      }
      this.#syncQueue.delete(file);
      if (clock.monotonicUs() >= untilUs) break;
    }
    this.#waits = finish(this.#waits, ({ syncedBytes }) => syncedBytes);
  }

  /** All that can be: one file that can not keeps back who waits for it, nobody else. */
  #settleWaited(): void {
    for (const { files } of this.#settleWaits)
      for (const file of files.keys()) {
        try {
          this.settle(file);
        } catch (error) {
          this.#options.fault(`settling ${file.relativePath}: ${String(error)}`);
        }
      }
    this.#settleWaits = finish(this.#settleWaits, ({ settledBytes }) => settledBytes);
  }

  #settleOne(file: TargetFile): void {
    if (file.unsettled.length === 0) return;
    const fd = this.#openForAppend(file);
    if (fd === undefined) {
      this.#giveUp(file);
      return;
    }
    try {
      const run = file.unsettled.length === 1 ? file.unsettled[0]! : Buffer.concat(file.unsettled);
      let done = 0;
      while (done < run.length) done += writeSync(fd, run, done, run.length - done, file.settledBytes + done);
      file.settledBytes = file.length;
      file.unsettled.length = 0;
      this.#unsettledBytes -= run.length;
    } finally {
      closeSync(fd);
    }
  }

  /** @returns undefined when the file was erased, or is somebody else's */
  #openForAppend(file: TargetFile): number | undefined {
    if (file.abandoned) return undefined;
    const path = this.#pathOf(file);
    const isNew = !file.created;
    const directory = join(this.#options.spoolDirectory, file.conversation.id);
    if (isNew) mkdirSync(directory, { recursive: true, mode: 0o700 });
    try {
      const fd = openSync(path, isNew ? 'wx' : 'r+', 0o600);
      if (isNew) file.conversation.directoryDirty = true;
      file.created = true;
      return fd;
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === 'ENOENT' && !isNew) return undefined;
      if (code !== 'EEXIST') throw error;
      this.#options.fault(`${file.relativePath} exists already; what was meant for it is dropped`);
      return undefined;
    }
  }

  #giveUp(file: TargetFile): void {
    file.abandoned = true;
    for (const bytes of file.unsettled) this.#unsettledBytes -= bytes.length;
    file.unsettled.length = 0;
    file.settledBytes = file.length;
    file.syncedBytes = file.length;
  }

  #sync(file: TargetFile): void {
    if (file.syncedBytes < file.settledBytes) {
      const settled = file.settledBytes;
      syncPath(this.#pathOf(file));
      file.syncedBytes = settled;
    }
    const { conversation } = file;
    if (conversation.directoryDirty) {
      conversation.directoryDirty = false;
      syncPath(join(this.#options.spoolDirectory, conversation.id));
      syncPath(this.#options.spoolDirectory);
    }
    this.#forgetIfDone(file);
  }

  #forgetIfDone(file: TargetFile): void {
    if (!file.closed || file.syncedBytes < file.length) return;
    const { conversation } = file;
    conversation.files.delete(file);
    if (conversation.files.size === 0 && this.#conversations.get(conversation.id) === conversation)
      this.#conversations.delete(conversation.id);
  }

  #pathOf(file: TargetFile): string {
    return join(this.#options.spoolDirectory, file.relativePath);
  }
}

/** @returns those that go on waiting */
function finish(waits: readonly Wait[], bytesOf: (file: TargetFile) => number): Wait[] {
  const finished: Wait[] = [];
  const rest = waits.filter((wait) => {
    for (const [file, bytes] of wait.files) if (bytesOf(file) >= bytes) wait.files.delete(file);
    if (wait.files.size === 0) finished.push(wait);
    return wait.files.size > 0;
  });
  for (const wait of finished) wait.done();
  return rest;
}
