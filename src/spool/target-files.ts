import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Clock } from '../clock.ts';
import { syncPath } from './files.ts';

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
}

/**
 * The files that the journal's appends settle into. Files are opened for each write: a file that was erased
 * meanwhile is noticed, never made again, and no descriptor is held for it.
 */
export class TargetFiles {
  readonly #options: TargetFilesOptions;
  readonly #conversations = new Map<string, Conversation>();
  readonly #syncQueue = new Set<TargetFile>();
  readonly #due = new Set<TargetFile>();
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
    const ends = { created: false, closed: false, abandoned: false };
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
    const hasTold = this.#settleWaited();
    if (this.#syncQueue.size === 0 && this.#waits.length === 0) return;
    // Whoever was told that a recording has ended has much to do just now.
    const untilUs = clock.monotonicUs() + (hasTold ? budgetUs / 8 : budgetUs);
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
    const fd = this.#openForAppend(file);
    if (fd === undefined) {
      this.#giveUp(file);
      return;
    }
    try {
      // What an error kept from being written goes before what came since.
      while (hasUnsettled(file)) this.#write(file, fd);
    } finally {
      closeSync(fd);
    }
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
    file.content.drop();
    file.taken = undefined;
    this.#due.delete(file);
    this.#unsettledBytes -= file.length - file.settledBytes;
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
    return `${this.#options.spoolDirectory}/${file.relativePath}`;
  }
}

function hasUnsettled(file: TargetFile): boolean {
  return file.settledBytes < file.length;
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
