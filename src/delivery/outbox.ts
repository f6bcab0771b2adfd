import { fromKysely, type Job, type PgBoss } from 'pg-boss';
import type { Clock, Timer } from '../clock.ts';
import {
  getEvent,
  insertEvent,
  insertEvents,
  type NewEvent,
  nextPendingEvents,
  reviveEvent,
  setEventFailed,
  setEventsDelivered,
} from '../database/events.ts';
import type { Db, Event } from '../database/schema.ts';
import { CallreelError } from '../errors.ts';
import { newId } from '../ids.ts';
import type { Logger } from '../logger.ts';
import {
  type EventJob,
  eventQueue,
  isStream,
  prepareEventQueue,
  sendEventJobs,
  streamKey,
} from './event-queue.ts';
import { retryDelaySeconds } from './retry-schedule.ts';

/** One attempt; the id is new each time, the event's own id is not. */
export interface Delivery {
  deliveryId: string;
  /** 1 for the first. */
  attempt: number;
  /** Aborts when the process stops. */
  signal: AbortSignal;
}

/** Delivers one event or throws. */
export type EventSender = (event: Event, delivery: Delivery) => Promise<void>;

/** `payload` is the body as the receiver gets it; an id is made unless one is given. */
export type OutgoingEvent = Omit<NewEvent, 'eventId' | 'createdAt'> & { eventId?: string };

export interface OutboxOptions {
  db: Db;
  boss: PgBoss;
  send: EventSender;
  clock: Clock;
  logger: Logger;
  /** Nobody else works on this database (the embedded one): jobs found active at the start are orphans. */
  exclusive: boolean;
  /** Longest time one attempt may take. */
  attemptLimitMs?: number;
  concurrency?: number;
  /** So that one dead host does not take every slot. */
  concurrencyPerOrigin?: number;
  pollMs?: number;
}

/**
 * Events on their way to the URLs that asked for them. An event and its job are written in the transaction of the
 * state change they tell about. Delivery is at least once; what a conversation sends to one URL comes in the order of
 * the commits.
 *
 *   state change + event + job --commit--> kick -> fetch -> send -> delivered | retry later | dead
 *
 * A job does not name its event: see `event-queue`.
 */
export class Outbox {
  readonly #options: Required<OutboxOptions>;
  readonly #inFlight = new Map<string, { origin: string; done: Promise<void> }>();
  /** Delivered, and not yet on record as that. */
  #delivered: { event: Event; job: Job<EventJob> }[] = [];
  #settling: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  readonly #abort = new AbortController();
  #stopping = false;
  #loop: Promise<void> = Promise.resolve();
  #wake: (() => void) | undefined;
  #kicked = false;

  private constructor(options: OutboxOptions) {
    this.#options = {
      attemptLimitMs: 30_000,
      concurrency: 64,
      concurrencyPerOrigin: 32,
      pollMs: 1000,
      ...options,
    };
  }

  static async start(options: OutboxOptions): Promise<Outbox> {
    const outbox = new Outbox(options);
    await prepareEventQueue(options.db, options.boss, { ...outbox.#options });
    outbox.#loop = outbox.#run();
    return outbox;
  }

  /**
   * Writes an event and its job in the caller's transaction; call `kick` once that is committed.
   * @returns the event with its stable id
   */
  async insert(trx: Db, event: OutgoingEvent): Promise<Event> {
    const createdAt = new Date(this.#options.clock.unixMs());
    const written = await insertEvent(trx, { ...event, eventId: event.eventId ?? newId(), createdAt });
    await sendEventJobs(trx, this.#options.boss, [written]);
    return written;
  }

  /** As `insert`, many at once; in their order. */
  async insertAll(trx: Db, events: readonly OutgoingEvent[]): Promise<void> {
    const createdAt = new Date(this.#options.clock.unixMs());
    const written = events.map((event) => ({ ...event, eventId: event.eventId ?? newId(), createdAt }));
    await insertEvents(trx, written);
    await sendEventJobs(trx, this.#options.boss, written);
  }

  /** Runs `change` in a transaction, with this outbox at hand for its events, and kicks after the commit. */
  async transaction<T>(change: (trx: Db, outbox: Outbox) => Promise<T>): Promise<T> {
    const result = await this.#options.db.transaction().execute((trx) => change(trx, this));
    this.kick();
    return result;
  }

  /** Looks for work now. */
  kick(): void {
    this.#kicked = true;
    this.#wake?.();
  }

  /**
   * Delivers an event once more, dead or delivered, under its old id.
   * @throws CallreelError NOT_FOUND, CONFLICT when it is still on its way
   */
  async replay(eventId: string): Promise<void> {
    const { clock } = this.#options;
    await this.transaction(async (trx) => {
      const event = await reviveEvent(trx, eventId, new Date(clock.unixMs()));
      if (event) await sendEventJobs(trx, this.#options.boss, [event]);
      else if (await getEvent(trx, eventId))
        throw new CallreelError('CONFLICT', 'the event is still on its way', { where: eventId });
      else throw new CallreelError('NOT_FOUND', 'there is no such event', { where: eventId });
    });
  }

  /** Takes no new work, waits for attempts in flight up to `graceMs`, then gives the rest back to the queue. */
  async stop(graceMs = 5000): Promise<void> {
    this.#stopping = true;
    this.#wake?.();
    await this.#loop;
    const timer = this.#options.clock.after(graceMs, () => this.#abort.abort());
    await Promise.all([...this.#inFlight.values()].map(({ done }) => done));
    timer.cancel();
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      this.#kicked = false;
      const started = await this.#fetch();
      if (started === 0 && !this.#kicked && !this.#stopping) await this.#untilWoken();
    }
  }

  /** @returns how many attempts were started */
  async #fetch(): Promise<number> {
    const { boss, logger, concurrency } = this.#options;
    const free = concurrency - this.#inFlight.size;
    if (free <= 0) return 0;
    try {
      const ignoreGroups = this.#busyOrigins();
      const jobs = await boss.fetch<EventJob>(eventQueue, {
        batchSize: free,
        ...(ignoreGroups.length > 0 ? { ignoreGroups } : {}),
      });
      const streams = jobs.map(({ data }) => data).filter(isStream);
      const pending = nextPendingEvents(this.#options.db, streams).then(
        (events) => new Map(events.map((event) => [streamKey(event), event])),
      );
      for (const job of jobs) this.#begin(job, pending);
      return jobs.length;
    } catch (error) {
      logger.error({ err: error }, 'event jobs could not be fetched');
      return 0;
    }
  }

  #busyOrigins(): string[] {
    const counts = new Map<string, number>();
    for (const { origin } of this.#inFlight.values()) counts.set(origin, (counts.get(origin) ?? 0) + 1);
    return [...counts]
      .filter(([, count]) => count >= this.#options.concurrencyPerOrigin)
      .map(([origin]) => origin);
  }

  #begin(job: Job<EventJob>, pending: Promise<ReadonlyMap<string, Event>>): void {
    const done = this.#attempt(job, pending)
      // The job stays active and is given out again when it expires.
      .catch((error: unknown) => this.#options.logger.error({ err: error }, 'event job could not be settled'))
      .finally(() => {
        this.#inFlight.delete(job.id);
        this.kick();
      });
    this.#inFlight.set(job.id, { origin: job.groupId ?? '', done });
  }

  /** @param pending what is next in each stream; the job keeps anybody else from delivering it */
  async #attempt(job: Job<EventJob>, pending: Promise<ReadonlyMap<string, Event>>): Promise<void> {
    const { db, boss, send } = this.#options;
    const { data } = job;
    const event = isStream(data) && (await pending).get(streamKey(data));
    if (!event) {
      await boss.complete(eventQueue, job);
      return;
    }
    try {
      await send(event, { deliveryId: newId(), attempt: event.attempts + 1, signal: this.#abort.signal });
    } catch (error) {
      if (this.#abort.signal.aborted) await this.#retry(db, job, 'the process stopped', 0);
      else await this.#failed(job, event, error);
      return;
    }
    this.#delivered.push({ event, job });
    await this.#settled();
  }

  /** Many that are delivered at once are put on record together: those that come while some are wait for the next turn. */
  #settled(): Promise<void> {
    this.#next ??= (this.#settling ?? Promise.resolve())
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined;
        this.#settling = this.#settle(this.#delivered.splice(0));
        return this.#settling;
      });
    return this.#next;
  }

  async #settle(delivered: readonly { event: Event; job: Job<EventJob> }[]): Promise<void> {
    const { db, boss, clock } = this.#options;
    await db.transaction().execute(async (trx) => {
      const eventIds = delivered.map(({ event }) => event.eventId);
      await setEventsDelivered(trx, eventIds, new Date(clock.unixMs()));
      const jobs = delivered.map(({ job }) => job);
      await boss.complete(eventQueue, jobs, null, { db: fromKysely(trx) });
    });
  }

  async #failed(job: Job<EventJob>, event: Event, error: unknown): Promise<void> {
    const { db, boss, clock, logger } = this.#options;
    const nowMs = clock.unixMs();
    const lastError = error instanceof Error ? error.message : String(error);
    const delaySeconds = retryDelaySeconds(event.attempts + 1, nowMs - event.queuedAt.getTime());
    const { eventId, type, conversationId } = event;
    logger.warn(
      { eventId, type, conversationId, attempt: event.attempts + 1, err: error, delaySeconds },
      delaySeconds === undefined ? 'event given up' : 'event not delivered',
    );
    await db.transaction().execute(async (trx) => {
      const deadAt = delaySeconds === undefined ? new Date(nowMs) : null;
      await setEventFailed(trx, eventId, { lastError, deadAt });
      if (delaySeconds === undefined) await boss.complete(eventQueue, job, null, { db: fromKysely(trx) });
      else await this.#retry(trx, job, lastError, delaySeconds);
    });
  }

  /** A job in retry keeps back what its conversation sends to that URL later, until it is due. */
  async #retry(db: Db, job: Job<EventJob>, reason: string, delaySeconds: number): Promise<void> {
    const { boss } = this.#options;
    await boss.fail(eventQueue, job, { message: reason }, { db: fromKysely(db) });
    await boss.update(eventQueue, undefined, { id: job.id, startAfter: delaySeconds, db: fromKysely(db) });
  }

  #untilWoken(): Promise<void> {
    return new Promise((resolve) => {
      let timer: Timer | undefined;
      this.#wake = () => {
        this.#wake = undefined;
        timer?.cancel();
        resolve();
      };
      timer = this.#options.clock.after(this.#options.pollMs, () => this.#wake?.());
    });
  }
}
