import type { Clock } from '../clock.ts';
import {
  changeDelivery,
  listDueDeliveries,
  lockDelivery,
  reviveInterruptedDeliveries,
} from '../database/deliveries.ts';
import { getRecording } from '../database/recordings.ts';
import type { Db, Delivery } from '../database/schema.ts';
import { isTranscriptOpen } from '../database/transcripts.ts';
import { asCallreelError, CallreelError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { saneText } from '../sane-input.ts';
import { nextState } from '../state-machine.ts';
import type { DeliveryRows } from './delivery-rows.ts';
import { deadCredentialsMs, deliveryDelayMs } from './delivery-schedule.ts';
import { deliveryTable } from './delivery-states.ts';
import { abortDeliveryUpload, type DeliveryUploadOptions, uploadDelivery } from './delivery-upload.ts';
import { removeLeftovers } from './leftovers.ts';
import type { Outbox } from './outbox.ts';
import { RowJobs } from './row-jobs.ts';

/** Writes the event of a delivery in the transaction of its state. */
export type TellDelivery = (
  trx: Db,
  delivery: Delivery,
  state: 'delivered' | 'failing' | 'dead',
) => Promise<void>;

export interface DelivererOptions extends DeliveryUploadOptions {
  /** Of our own store, where there is one. */
  storeDirectory?: string | undefined;
  node: string;
  outbox: Pick<Outbox, 'transaction'>;
  rows: DeliveryRows;
  tell: TellDelivery;
  /** What was sent while a recording went on is on record when this returns. */
  stopEarly?(recordingId: string): Promise<void>;
  /** By which deliveries are tried again. */
  clock: Clock;
  log: Logger;
  /** One has come to its end, delivered or given up: what waits behind it may go on. */
  ended?(): void;
  retryDays: number;
  concurrency: number;
  pollMs?: number;
}

/** So long a storage may take to free what an upload took, before an erasure goes on without its answer. */
const abortLimitMs = 10_000;

/**
 * Writes the files of ended recordings to their destinations. The row of each is its job:
 *
 *   waiting --end of the recording--> due -> uploading -> delivered
 *                                      ^         \-> failing, due again later ... -> dead
 *                                      \------- restart: from the last part on record
 *
 * A state and its event are written in one transaction.
 */
export class Deliverer {
  readonly #options: DelivererOptions;
  readonly #jobs: RowJobs;

  constructor(options: DelivererOptions) {
    this.#options = options;
    const { clock, log, pollMs } = options;
    this.#jobs = new RowJobs({
      ...{ clock, wallClock: options.settings.clock, log, pollMs },
      names: { one: 'a delivery', many: 'deliveries', id: 'deliveryId' },
      fetch: () => this.#fetch(),
    });
  }

  /** Takes up what the run before was doing. */
  async start(): Promise<void> {
    const { db, node, log } = this.#options;
    const interrupted = await reviveInterruptedDeliveries(db, node, this.#now());
    await removeLeftovers(this.#options, interrupted).catch((error: unknown) =>
      log.warn({ error }, 'unfinished files of the run before could not be removed'),
    );
    this.#jobs.start();
  }

  /** Looks for work now. */
  kick(): void {
    this.#jobs.kick();
  }

  /** Ends the try that is under way, if there is one; the row says what is next. */
  async interrupt({ deliveryId, recordingId }: Pick<Delivery, 'deliveryId' | 'recordingId'>): Promise<void> {
    await this.#options.stopEarly?.(recordingId);
    const reason = new CallreelError('CONFLICT', 'the delivery was given up', { where: deliveryId });
    await this.#jobs.interrupt(deliveryId, reason);
    this.#options.encoded?.drop(recordingId);
  }

  /** Frees what the upload took, as far as the storage answers soon; else it is tried again. */
  async cleanUp(row: Delivery, signal?: AbortSignal): Promise<boolean> {
    const { log, settings } = this.#options;
    const { deliveryId, destination } = row;
    const limit = new AbortController();
    const timer = settings.clock.after(abortLimitMs, () => limit.abort(new Error('no answer in time')));
    try {
      await abortDeliveryUpload(
        row,
        this.#options,
        AbortSignal.any([limit.signal, ...(signal ? [signal] : [])]),
      );
      return true;
    } catch (error) {
      log.warn({ deliveryId, destination, error }, 'an unfinished upload could not be aborted');
      return false;
    } finally {
      timer.cancel();
    }
  }

  /** Takes no new work and breaks off what is under way: the next start goes on from the last part on record. */
  async stop(): Promise<void> {
    await this.#jobs.stop();
  }

  async #fetch(): Promise<number> {
    const { db, node, concurrency } = this.#options;
    const { running, taken } = this.#jobs;
    const free = concurrency - running.length;
    if (free <= 0) return 0;
    const due = await listDueDeliveries(db, node, {
      now: this.#now(),
      limit: free,
      except: taken,
      exceptPlaces: this.#busyPlaces(),
    });
    if (this.#jobs.isStopping) return 0;
    for (const row of due)
      this.#jobs.begin(row.deliveryId, row.place, (signal) =>
        row.state === 'abandoned' || row.state === 'dead'
          ? this.#finishOff(row, signal)
          : this.#attempt(row, signal),
      );
    return due.length;
  }

  /** One storage that stalls does not take every slot. */
  #busyPlaces(): string[] {
    const most = Math.max(1, Math.ceil(this.#options.concurrency / 2));
    return [...this.#jobs.groups].filter(([, count]) => count >= most).map(([place]) => place);
  }

  async #attempt(due: Delivery, signal: AbortSignal): Promise<void> {
    const { deliveryId, recordingId } = due;
    await this.#options.stopEarly?.(recordingId);
    const row = await this.#jobs.settled(() =>
      this.#options.outbox.transaction((trx) => this.#take(trx, deliveryId)),
    );
    if (!row) return;
    const { destination, attempts } = row;
    try {
      const bytes = await uploadDelivery(row, this.#options, signal);
      await this.#jobs.settled(() => this.#succeeded(deliveryId, bytes));
      this.#options.ended?.();
      this.#options.log.info(
        { deliveryId, recordingId, destination, attempts, bytes },
        'a recording was delivered',
      );
    } catch (error) {
      // By a stop it is taken up again at the next start; by an erasure it is cleaned up.
      if (signal.aborted) return;
      await this.#jobs.settled(() => this.#failed(deliveryId, asCallreelError(error)));
      this.#options.ended?.();
    }
  }

  /** @returns undefined when there is nothing to do for it any more */
  async #take(trx: Db, deliveryId: string): Promise<Delivery | undefined> {
    const row = await lockDelivery(trx, deliveryId);
    if (!row || row.nextAttemptAt === null || row.state === 'abandoned') return undefined;
    const recording = await getRecording(trx, row.accountId, row.recordingId);
    if (!recording || recording.erasedAt) {
      await this.#options.rows.abandon(trx, deliveryId);
      return undefined;
    }
    const state = nextState('delivery', deliveryTable, row.state, 'begin');
    if (state === undefined) return undefined;
    return await changeDelivery(trx, deliveryId, { state, attempts: row.attempts + 1, nextAttemptAt: null });
  }

  async #succeeded(deliveryId: string, bytes: number): Promise<void> {
    const { outbox, tell } = this.#options;
    await outbox.transaction(async (trx) => {
      const row = await lockDelivery(trx, deliveryId);
      // Abandoned meanwhile.
      if (row?.state !== 'uploading') return;
      const state = nextState('delivery', deliveryTable, row.state, 'succeed');
      const delivered = await changeDelivery(trx, deliveryId, {
        ...{ state, bytes, deliveredAt: this.#now(), nextAttemptAt: null, upload: null },
        ...{ errorCode: null, errorMessage: null },
        // The transcript's file goes there too, with them.
        ...(!(await isTranscriptOpen(trx, row.recordingId)) && { sealedCredentials: null }),
      });
      if (delivered) await tell(trx, delivered, 'delivered');
    });
  }

  async #failed(deliveryId: string, error: CallreelError): Promise<void> {
    const { outbox, tell, clock, log, retryDays } = this.#options;
    await outbox.transaction(async (trx) => {
      const row = await lockDelivery(trx, deliveryId);
      if (row?.state !== 'uploading') return;
      const nowMs = clock.unixMs();
      const delayMs = deliveryDelayMs(row.attempts, nowMs - (row.queuedAt?.getTime() ?? nowMs), retryDays);
      const isDead = delayMs === undefined;
      const state = nextState('delivery', deliveryTable, row.state, isDead ? 'give up' : 'fail');
      const { recordingId, destination, attempts } = row;
      log.warn(
        { deliveryId, recordingId, destination, attempts, error, delayMs },
        isDead ? 'a delivery was given up' : 'a recording could not be delivered',
      );
      const failed = await changeDelivery(trx, deliveryId, {
        ...{ state, errorCode: error.code, errorMessage: saneText(error.message) },
        nextAttemptAt: new Date(nowMs + (delayMs ?? deadCredentialsMs)),
      });
      const isFirst = row.errorCode === null;
      if (failed && isFirst && !isDead) await tell(trx, failed, 'failing');
      if (failed && isDead) await tell(trx, failed, 'dead');
    });
  }

  /** What an abandoned upload took is freed; of what was given up long ago the credentials go. */
  async #finishOff(row: Delivery, signal: AbortSignal): Promise<void> {
    const { db, retryDays, clock } = this.#options;
    const isFree = await this.cleanUp(row, signal);
    if (signal.aborted) return;
    const attempts = row.attempts + 1;
    const waitedMs = clock.unixMs() - (row.queuedAt?.getTime() ?? row.createdAt.getTime());
    const delayMs = row.state === 'dead' ? undefined : deliveryDelayMs(attempts, waitedMs, retryDays);
    if (!isFree && delayMs !== undefined)
      await changeDelivery(db, row.deliveryId, {
        ...{ attempts, nextAttemptAt: new Date(clock.unixMs() + delayMs) },
      });
    else
      await changeDelivery(db, row.deliveryId, {
        upload: null,
        sealedCredentials: null,
        nextAttemptAt: null,
      });
  }

  #now(): Date {
    return new Date(this.#options.clock.unixMs());
  }
}
