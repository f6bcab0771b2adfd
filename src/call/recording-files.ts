import { rmSync } from 'node:fs';
import type { Clock, Timer } from '../clock.ts';
import { listRecordingsWithoutFile } from '../database/recordings.ts';
import type { Db, Recording as RecordingRow } from '../database/schema.ts';
import { asCallreelError, CallreelError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { unfinishedSuffix } from '../render/whole-file.ts';
import type { FileOrder, FileStep } from '../worker/file-protocol.ts';
import { parseFileOrder } from './file-order.ts';
import type { Recording } from './recording.ts';

/** Writes files on a thread of its own (`worker/file-writer`). */
export interface FileThread {
  follow(order: FileOrder): Promise<void>;
  step(recordingIds: string[]): Promise<FileStep>;
  complete(order: FileOrder): Promise<void>;
  abandon(recordingId: string): Promise<void>;
}

export interface RecordingFilesOptions {
  clock: Clock;
  log: Logger;
  db: Db;
  node: string;
  thread: FileThread;
  /** As `LiveCalls.settleAll`. */
  settle(conversationIds: ReadonlySet<string>): Promise<ReadonlySet<string>>;
  directory: {
    recordingFile(
      conversationId: string,
      recordingId: string,
      file: { path: string } | { failure: CallreelError },
    ): Promise<void>;
  };
}

interface Followed {
  order: FileOrder;
  /** That are read along, as far as is known. */
  channels: number;
}

export const fileStepMs = 200;
/** Each look at a channel costs the same, however little is new: those of many are looked at less often. */
const lookMsPerChannel = 20;
const longestLookMs = 4000;
/** Those that are due within so much are looked at together: each step is a message to the media worker and back. */
const togetherMs = 1000;
const firstRetryMs = 1000;
const maxRetryMs = 300_000;
/** A disk may have room again; a spool that is damaged or gone stays so. */
const retried: readonly string[] = ['FILE_UNUSABLE', 'RENDER_FAILED', 'INTERNAL'];

/**
 * The file of each recording, where the operator wants one: written along by a thread, whole at its end, made from the
 * spool where anything kept it from that. A recording never waits for its file.
 *
 *     follow -> every 200 ms, of many some by turns: settle the spool, step
 *            -> the recording's end is on record -> complete -> the row says where
 *                             a disk that fails -> the row says so -> again, ever more rarely
 */
export class RecordingFiles {
  readonly #options: RecordingFilesOptions;
  readonly #followed = new Map<string, Followed>();
  readonly #finishing = new Set<Promise<void>>();
  readonly #retries = new Map<string, Timer>();
  #timer: Timer | undefined;
  #isStepping = false;
  /** Of all recordings together, what passed of the time from one look to the next. */
  #dueMs = 0;
  /** Of all recordings together, as of the last step: what reads all of them is done no more often. */
  #channels = 0;
  #closed = false;

  constructor(options: RecordingFilesOptions) {
    this.#options = options;
  }

  /** From its start on; it needs no packet yet. */
  follow(recording: Recording, order: FileOrder): void {
    const { recordingId } = recording;
    this.#followed.set(recordingId, { order, channels: 0 });
    this.#options.thread.follow(order).catch((error: unknown) => this.#failed(order, error));
    this.#arm();
    this.#track(
      Promise.all([recording.whenEnded, recording.whenWritten]).then(async ([reason]) => {
        this.#followed.delete(recordingId);
        if (reason === 'consent_withdrawn') await this.#remove(order);
        else await this.#complete(order);
      }),
    );
  }

  /** Makes the files whole that the run before left. */
  finishPrevious(): void {
    const { db, node, log } = this.#options;
    const finish = async (): Promise<void> => {
      for (const row of await listRecordingsWithoutFile(db, node)) {
        const order = parseFileOrder(row.fileOrder);
        if (this.#closed || !order) continue;
        if (row.reason === 'consent_withdrawn') await this.#remove(order);
        else await this.#complete(order);
      }
    };
    const failed = (error: unknown) => log.error({ error }, 'files of the run before could not be finished');
    this.#track(finish().catch(failed));
  }

  /** When it returns there is no file. @throws what keeps it from being removed */
  async erase({ recordingId, fileOrder }: Pick<RecordingRow, 'recordingId' | 'fileOrder'>): Promise<void> {
    this.#retries.get(recordingId)?.cancel();
    this.#retries.delete(recordingId);
    const order = this.#followed.get(recordingId)?.order ?? parseFileOrder(fileOrder);
    this.#followed.delete(recordingId);
    if (order) await this.#remove(order);
  }

  /** Until every recording that is followed has ended, and has its file or a failure on record. */
  async whenIdle(): Promise<void> {
    while (this.#finishing.size > 0) await Promise.allSettled(this.#finishing);
  }

  /** What is not whole then, the next start makes. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    for (const timer of this.#retries.values()) timer.cancel();
    this.#retries.clear();
  }

  #track(work: Promise<void>): void {
    const tracked = work.finally(() => this.#finishing.delete(tracked));
    this.#finishing.add(tracked);
    tracked.catch((error: unknown) => this.#options.log.error({ error }, 'a file could not be seen to'));
  }

  #arm(): void {
    if (this.#timer || this.#closed) return;
    this.#timer = this.#options.clock.after(fileStepMs, () => {
      this.#timer = undefined;
      if (this.#followed.size === 0) return;
      this.#arm();
      if (!this.#isStepping) void this.#step();
    });
  }

  /** A thread that is behind is not asked again before it is done; then there is more to do at once. */
  async #step(): Promise<void> {
    const { settle, thread } = this.#options;
    let looked = this.#nextInTurn();
    if (looked.length === 0) return;
    this.#isStepping = true;
    try {
      const unsettled = await settle(new Set(looked.map(({ order }) => order.conversationId)));
      // Of a room whose worker was lost one party's file may be ahead; its recordings are about to end.
      looked = looked.filter(({ order }) => !unsettled.has(order.conversationId));
      if (looked.length === 0) return;
      const { failures, channels } = await thread.step(looked.map(({ order }) => order.recordingId));
      for (const [index, each] of looked.entries()) each.channels = channels[index] ?? 0;
      for (const { recordingId, error } of failures) {
        const order = this.#followed.get(recordingId)?.order;
        if (order) this.#failed(order, new CallreelError(error.code, error.message, error));
      }
    } catch (error) {
      for (const { order } of looked) if (this.#followed.has(order.recordingId)) this.#failed(order, error);
    } finally {
      this.#isStepping = false;
      this.#channels = 0;
      for (const each of this.#followed.values()) this.#channels += each.channels;
    }
  }

  /** Those that were not looked at for longest. */
  #nextInTurn(): Followed[] {
    const { size } = this.#followed;
    const lookMs = Math.min(longestLookMs, Math.max(fileStepMs, this.#channels * lookMsPerChannel));
    this.#dueMs += size * fileStepMs;
    const looks = Math.min(size, Math.floor(this.#dueMs / lookMs));
    if (looks < Math.min(size, Math.ceil((size * togetherMs) / lookMs))) return [];
    this.#dueMs -= looks * lookMs;
    const next = [...this.#followed.values().take(looks)];
    for (const each of next) {
      const { recordingId } = each.order;
      this.#followed.delete(recordingId);
      this.#followed.set(recordingId, each);
    }
    return next;
  }

  /** It is written along no more. What was cut off or trimmed only then, nobody has lost. */
  #failed(order: FileOrder, error: unknown): void {
    if (this.#closed || !this.#followed.delete(order.recordingId)) return;
    if (error instanceof CallreelError && error.code === 'CONFLICT') return;
    void this.#report(
      order,
      error,
      'the file of a recording is not written along any more; it follows at its end',
    );
  }

  async #complete(order: FileOrder, retryMs = firstRetryMs): Promise<void> {
    const { conversationId, recordingId, path } = order;
    const { thread, directory } = this.#options;
    try {
      await thread.complete(order);
      await directory.recordingFile(conversationId, recordingId, { path });
    } catch (error) {
      if (this.#closed) return;
      const { code } = asCallreelError(error);
      // Erased meanwhile.
      if (code === 'CONFLICT' || code === 'DRAINING') return;
      await this.#report(order, error, 'the file of a recording could not be written');
      if (retried.includes(code)) this.#retry(order, retryMs);
    }
  }

  #retry(order: FileOrder, afterMs: number): void {
    if (this.#closed) return;
    const { recordingId } = order;
    const again = () => {
      this.#retries.delete(recordingId);
      this.#track(this.#complete(order, Math.min(afterMs * 2, maxRetryMs)));
    };
    this.#retries.set(recordingId, this.#options.clock.after(afterMs, again));
  }

  async #report(
    { conversationId, recordingId, path }: FileOrder,
    error: unknown,
    what: string,
  ): Promise<void> {
    const failure = asCallreelError(error);
    this.#options.log.error({ error: failure, conversationId, recordingId, path }, what);
    await this.#options.directory.recordingFile(conversationId, recordingId, { failure });
  }

  async #remove({ recordingId, path }: FileOrder): Promise<void> {
    await this.#options.thread.abandon(recordingId);
    rmSync(path, { force: true });
    rmSync(`${path}${unfinishedSuffix}`, { force: true });
  }
}
