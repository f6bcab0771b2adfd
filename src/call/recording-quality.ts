import type { Clock, Timer } from '../clock.ts';
import { listUnmeasuredRecordings } from '../database/recordings.ts';
import type { Db } from '../database/schema.ts';
import { CallreelError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { MeasuredRecording, QualityOrder } from '../worker/quality-protocol.ts';
import type { Recording } from './recording.ts';

/** Measures on a thread of its own (`worker/quality-gauge`). */
export interface QualityThread {
  follow(order: QualityOrder): Promise<void>;
  step(recordingIds: string[]): Promise<void>;
  measure(order: QualityOrder): Promise<MeasuredRecording>;
  drop(recordingId: string): Promise<void>;
}

export interface RecordingQualityOptions {
  clock: Clock;
  log: Logger;
  db: Db;
  node: string;
  thread: QualityThread;
  /** Makes visible what is spooled of a conversation. */
  settle(conversationId: string): Promise<void>;
  directory: {
    quality: { measured(order: QualityOrder, measured: MeasuredRecording): Promise<void> };
  };
}

const stepMs = 5000;
/** So many are measured before one that has ended has its turn. */
const stepRecordings = 8;
/** Each has some 200 kB in memory; those beyond are measured at their end. */
const maxFollowed = 1000;
/** So long the end of a conversation waits for its figures. */
const patienceMs = 150;
/** What a crash left unmeasured; older ones are from before there were figures. */
const previousMs = 24 * 3_600_000;

/**
 * The quality figures of each recording: measured along, so that little is left to do at its end. What has to be told
 * then waits for them a moment, and no longer; they come on record all the same.
 *
 *     follow -> every 5 s: settle the spool, step -> the recording has ended -> measure the rest -> the rows have them
 */
export class RecordingQuality {
  readonly #options: RecordingQualityOptions;
  readonly #followed = new Map<string, QualityOrder>();
  readonly #measuring = new Map<string, Promise<void>>();
  #timer: Timer | undefined;
  #closed = false;

  constructor(options: RecordingQualityOptions) {
    this.#options = options;
  }

  /** From its start on; it needs no packet yet. */
  follow({ recordingId, conversationId, whenEnded, whenWritten }: Recording): void {
    const order = { recordingId, conversationId };
    if (this.#followed.size < maxFollowed) {
      this.#followed.set(recordingId, order);
      this.#options.thread.follow(order).catch(() => this.#followed.delete(recordingId));
      this.#arm();
    }
    this.#track(order, async () => {
      const reason = await whenEnded;
      this.#followed.delete(recordingId);
      if (reason === 'consent_withdrawn' || reason === 'error') await this.#options.thread.drop(recordingId);
      else await this.#measure(order, whenWritten);
    });
  }

  /** Settles when the figures of an ended recording are on record, or it takes too long. Never rejects. */
  async whenMeasured(recordingId: string): Promise<void> {
    const measuring = this.#measuring.get(recordingId);
    if (!measuring) return;
    const late = Promise.withResolvers<void>();
    const timer = this.#options.clock.after(patienceMs, late.resolve);
    await Promise.race([measuring, late.promise]);
    timer.cancel();
  }

  /** Measures what the run before left. */
  finishPrevious(): void {
    const { clock, db, node, log } = this.#options;
    const finish = async (): Promise<void> => {
      const rows = await listUnmeasuredRecordings(db, node, new Date(clock.unixMs() - previousMs));
      for (const { recordingId, conversationId } of rows) {
        if (this.#closed) return;
        const order = { recordingId, conversationId };
        await this.#track(order, () => this.#measure(order));
      }
    };
    finish().catch((error: unknown) =>
      log.error({ error }, 'recordings of the run before were not measured'),
    );
  }

  /** Until every recording that was followed has ended, and was measured. */
  async whenIdle(): Promise<void> {
    while (this.#measuring.size > 0) await Promise.allSettled(this.#measuring.values());
  }

  /** What is not measured then, the next start measures. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  #track({ recordingId, conversationId }: QualityOrder, work: () => Promise<void>): Promise<void> {
    const tracked = work()
      .catch((error: unknown) => {
        if (this.#closed || (error instanceof CallreelError && error.code === 'DRAINING')) return;
        this.#options.log.warn({ error, conversationId, recordingId }, 'a recording could not be measured');
      })
      .finally(() => this.#measuring.delete(recordingId));
    this.#measuring.set(recordingId, tracked);
    return tracked;
  }

  /** @param whenWritten when its rows are there */
  async #measure(order: QualityOrder, whenWritten?: Promise<void>): Promise<void> {
    const { thread, directory } = this.#options;
    const measured = await thread.measure(order);
    await whenWritten;
    await directory.quality.measured(order, measured);
  }

  #arm(): void {
    if (this.#timer || this.#closed) return;
    this.#timer = this.#options.clock.after(stepMs, () => {
      void this.#step().finally(() => {
        this.#timer = undefined;
        if (this.#followed.size > 0) this.#arm();
      });
    });
  }

  async #step(): Promise<void> {
    const { settle, thread } = this.#options;
    const orders = [...this.#followed.values()];
    for (let first = 0; first < orders.length && !this.#closed; first += stepRecordings) {
      const some = orders.slice(first, first + stepRecordings);
      const conversations = new Set(some.map(({ conversationId }) => conversationId));
      // A room whose worker was lost is not settled; its recordings are about to end.
      await Promise.allSettled([...conversations].map((conversationId) => settle(conversationId)));
      // Where the thread ended, those that it had are measured at their end.
      await thread.step(some.map(({ recordingId }) => recordingId)).catch(() => undefined);
    }
  }
}
