import { closeSync, fdatasyncSync, fstatSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Clock } from '../clock.ts';
import { syncPath } from './files.ts';
import { KeptDescriptors } from './kept-descriptors.ts';
import { openStartWriteback } from './start-writeback.ts';

/** Where the bytes of a file come from. */
export interface FileContent {
  /**
   * What was accepted and not taken before, as it stands in the file; it is not asked again for the same.
   * @returns valid until the next of any file is taken
   */
  take(): Buffer;
  /** Nobody takes what is left. */
  drop(): void;
  /** @returns bytes accepted by itself since it was last asked, where it accepts any so */
  uncountedBytes?(): number;
}

/**
 * A manifest or segment file that grows: accepted by the journal first, settled into the file later. How much is
 * counted as it is accepted: a segment's chunks take a little more in the file.
 */
export interface TargetFile {
  readonly conversation: Conversation;
  /** Relative to the spool directory. */
  readonly relativePath: string;
  readonly isManifest: boolean;
  readonly content: FileContent;
  /** Bytes accepted. */
  length: number;
  settledBytes: number;
  syncedBytes: number;
  /** Where in the file the next write goes. */
  fileBytes: number;
  /** Taken from the content and not written yet: a chunk is never sealed twice. */
  taken: { bytes: Buffer; length: number } | undefined;
  /** The file was made; it is never made twice. */
  created: boolean;
  /** While it stays open. */
  fd: number | undefined;
  /** Nothing more will be accepted. */
  closed: boolean;
  /** Erased, or somebody else's: what is meant for it is dropped. */
  abandoned: boolean;
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
  /** A file with this much to settle is due. */
  settleBytes: number;
  fault(message: string): void;
  /** How many segments may stay open. */
  maxKeptDescriptors?: number;
}

/**
 * The files that the journal's appends settle into. Segments stay open until they are synced for the last time, as
 * many as there is room for. A file that was removed meanwhile is noticed, at the next sync at the latest, and never
 * made again.
 */
export class TargetFiles {
  readonly #options: TargetFilesOptions;
  readonly #conversations = new Map<string, Conversation>();
  readonly #descriptors: KeptDescriptors<TargetFile>;
  readonly #startWriteback = openStartWriteback();
  /** To be settled, and its way to the disk begun, before any of the next is synced. */
  readonly #beginQueue = new Set<TargetFile>();
  readonly #syncQueue = new Set<TargetFile>();
  readonly #due = new Set<TargetFile>();
  #settleWaits: Wait[] = [];
  #waits: Wait[] = [];
  #unsettledBytes = 0;
  /** A directory was made in the spool's since that was last synced. */
  #spoolDirectoryDirty = false;

  constructor(options: TargetFilesOptions) {
    this.#options = options;
    this.#descriptors = new KeptDescriptors(options.maxKeptDescriptors);
  }

  get unsettledBytes(): number {
    return this.#unsettledBytes;
  }

  /** Whether some sync is wanted and not done. */
  get isBusy(): boolean {
    return this.#hasToSync || this.#waits.length > 0 || this.#settleWaits.length > 0;
  }

  get #hasToSync(): boolean {
    return this.#beginQueue.size > 0 || this.#syncQueue.size > 0;
  }

  open(
    conversationId: string,
    relativePath: string,
    { isManifest, content }: Pick<TargetFile, 'isManifest' | 'content'>,
  ): TargetFile {
    let conversation = this.#conversations.get(conversationId);
    if (!conversation) {
      conversation = { id: conversationId, files: new Set(), directoryDirty: false };
      this.#conversations.set(conversationId, conversation);
    }
    const start = { length: 0, settledBytes: 0, syncedBytes: 0, fileBytes: 0, taken: undefined };
    const ends = { created: false, fd: undefined, closed: false, abandoned: false };
    const file: TargetFile = { conversation, relativePath, isManifest, content, ...start, ...ends };
    conversation.files.add(file);
    return file;
  }

  /** So much more is in the file's content. */
  accepted(file: TargetFile, bytes: number): void {
    file.length += bytes;
    this.#unsettledBytes += bytes;
    if (file.length - file.settledBytes >= this.#options.settleBytes) this.#due.add(file);
  }

  /** Its content has much to settle. */
  isDue(file: TargetFile): void {
    this.#due.add(file);
  }

  #count(file: TargetFile): void {
    const bytes = file.content.uncountedBytes?.() ?? 0;
    file.length += bytes;
    this.#unsettledBytes += bytes;
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
    this.#count(file);
    if (!hasUnsettled(file)) return;
    if (!file.isManifest)
      for (const other of file.conversation.files) if (other.isManifest) this.#settleOne(other);
    this.#settleOne(file);
  }

  /** Every file that has much to settle. */
  settleDue(): void {
    for (const file of this.#due) this.settle(file);
  }

  settleAll(): void {
    for (const { files } of this.#conversations.values()) for (const file of files) this.settle(file);
  }

  /** Every file with bytes that a power cut would take from it. */
  unsynced(): TargetFile[] {
    const found: TargetFile[] = [];
    for (const { files } of this.#conversations.values())
      for (const file of files) {
        this.#count(file);
        if (file.syncedBytes < file.length) found.push(file);
      }
    return found;
  }

  /** Calls `done` once everything accepted so far of these files is settled. They are synced when there is time for it. */
  whenSettled(files: Iterable<TargetFile>, done: () => void): void {
    const needed = new Map<TargetFile, number>();
    for (const file of files) {
      this.#count(file);
      needed.set(file, file.length);
      this.#beginQueue.add(file);
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
      this.#beginQueue.add(file);
    }
    if (needed.size === 0) done();
    else this.#waits.push({ files: needed, done });
  }

  /** Settles and syncs what is waited for, as far as the time allows. */
  work(): void {
    const { clock, budgetUs } = this.#options;
    const hasTold = this.#settleWaited();
    if (!this.#hasToSync && this.#waits.length === 0) return;
    // Whoever was told that a recording has ended has much to do just now.
    const untilUs = clock.monotonicUs() + (hasTold ? budgetUs / 8 : budgetUs);
    const begin = (file: TargetFile): void => this.#beginSync(file);
    const sync = (file: TargetFile): void => this.#sync(file);
    this.#workOff(this.#beginQueue, begin, untilUs);
    const synced = this.#workOff(this.#syncQueue, sync, untilUs);
    this.#waits = finish(this.#waits, ({ syncedBytes }) => syncedBytes, synced);
  }

  /** One at least. @returns those that were done */
  #workOff(queue: Set<TargetFile>, work: (file: TargetFile) => void, untilUs: number): TargetFile[] {
    const { clock, fault } = this.#options;
    const done: TargetFile[] = [];
    for (const file of queue) {
      try {
        work(file);
      } catch (error) {
        fault(`sync of ${file.relativePath}: ${String(error)}`);
        break;
      }
      queue.delete(file);
      done.push(file);
      if (clock.monotonicUs() >= untilUs) break;
    }
    return done;
  }

  #beginSync(file: TargetFile): void {
    this.settle(file);
    if (file.fd !== undefined && file.syncedBytes < file.settledBytes) this.#startWriteback?.(file.fd);
    this.#syncQueue.add(file);
  }

  /** All that can be: one file that can not keeps back who waits for it, nobody else. @returns whether somebody was told */
  #settleWaited(): boolean {
    const { length } = this.#settleWaits;
    for (const { files } of this.#settleWaits)
      for (const file of files.keys()) {
        try {
          this.settle(file);
        } catch (error) {
          this.#options.fault(`settling ${file.relativePath}: ${String(error)}`);
        }
      }
    this.#settleWaits = finish(this.#settleWaits, ({ settledBytes }) => settledBytes);
    return this.#settleWaits.length < length;
  }

  #settleOne(file: TargetFile): void {
    if (!hasUnsettled(file)) return;
    const fd = file.fd ?? this.#openForAppend(file);
    if (fd === undefined) {
      this.#giveUp(file);
      return;
    }
    try {
      // What an error kept from being written goes before what came since.
      while (hasUnsettled(file)) this.#write(file, fd);
    } catch (error) {
      if (file.fd === undefined) closeSync(fd);
      throw error;
    }
    if (file.isManifest) closeSync(fd);
    else this.#descriptors.keepOrClose(file, fd);
    this.#due.delete(file);
  }

  #write(file: TargetFile, fd: number): void {
    const { bytes, length } = file.taken ?? { bytes: file.content.take(), length: file.length };
    try {
      for (let done = 0; done < bytes.length; )
        done += writeSync(fd, bytes, done, bytes.length - done, file.fileBytes + done);
    } catch (error) {
      file.taken ??= { bytes: Buffer.from(bytes), length };
      throw error;
    }
    file.taken = undefined;
    file.fileBytes += bytes.length;
    this.#unsettledBytes -= length - file.settledBytes;
    file.settledBytes = length;
  }

  /** @returns undefined when the file was erased, or is somebody else's */
  #openForAppend(file: TargetFile): number | undefined {
    if (file.abandoned) return undefined;
    const path = this.#pathOf(file);
    const isNew = !file.created;
    if (isNew) mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    try {
      const fd = this.#opened(path, isNew ? 'wx' : 'r+');
      if (isNew) file.conversation.directoryDirty = this.#spoolDirectoryDirty = true;
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

  #opened(path: string, flags: string): number {
    try {
      return openSync(path, flags, 0o600);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if ((code !== 'EMFILE' && code !== 'ENFILE') || this.#descriptors.count === 0) throw error;
      this.#descriptors.closeAll();
      return openSync(path, flags, 0o600);
    }
  }

  #giveUp(file: TargetFile): void {
    this.#descriptors.close(file);
    file.abandoned = true;
    file.content.drop();
    file.taken = undefined;
    this.#due.delete(file);
    this.#unsettledBytes -= file.length - file.settledBytes;
    file.settledBytes = file.length;
    file.syncedBytes = file.length;
  }

  #sync(file: TargetFile): void {
    if (file.syncedBytes < file.settledBytes) this.#syncContent(file);
    this.#syncDirectories(file.conversation);
    this.#forgetIfDone(file);
  }

  #syncContent(file: TargetFile): void {
    const { fd, settledBytes } = file;
    if (fd === undefined) syncPath(this.#pathOf(file));
    else fdatasyncSync(fd);
    file.syncedBytes = settledBytes;
    if (fd !== undefined && fstatSync(fd).nlink === 0) this.#giveUp(file);
  }

  #syncDirectories(conversation: Conversation): void {
    const { spoolDirectory } = this.#options;
    if (conversation.directoryDirty) {
      syncPath(join(spoolDirectory, conversation.id));
      conversation.directoryDirty = false;
    }
    if (!this.#spoolDirectoryDirty) return;
    syncPath(spoolDirectory);
    this.#spoolDirectoryDirty = false;
  }

  #forgetIfDone(file: TargetFile): void {
    if (!file.closed || file.syncedBytes < file.length) return;
    this.#descriptors.close(file);
    const { conversation } = file;
    conversation.files.delete(file);
    if (conversation.files.size === 0 && this.#conversations.get(conversation.id) === conversation)
      this.#conversations.delete(conversation.id);
  }

  #pathOf(file: TargetFile): string {
    return `${this.#options.spoolDirectory}/${file.relativePath}`;
  }
}

function hasUnsettled(file: TargetFile): boolean {
  return file.settledBytes < file.length;
}

/**
 * @param changed of no other file that is waited for these bytes have become more
 * @returns those that go on waiting
 */
function finish(
  waits: readonly Wait[],
  bytesOf: (file: TargetFile) => number,
  changed?: readonly TargetFile[],
): Wait[] {
  const finished: Wait[] = [];
  const rest = waits.filter(({ files, done }) => {
    for (const file of changed ?? files.keys()) {
      const bytes = files.get(file);
      if (bytes !== undefined && bytesOf(file) >= bytes) files.delete(file);
    }
    if (files.size === 0) finished.push({ files, done });
    return files.size > 0;
  });
  for (const wait of finished) wait.done();
  return rest;
}
