import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { fromKysely, type PgBoss } from 'pg-boss';
import type { EventStream } from '../database/events.ts';
import type { Db } from '../database/schema.ts';
import { jobSchema } from './jobs.ts';

/**
 * A job does not name its event: it is the right to deliver the next pending one of a conversation to one URL. pg-boss
 * gives out one job of such a stream at a time (`key_strict_fifo`), but orders them by the start of their transactions,
 * which is not the order of the commits; `events.sequence` is.
 */
export interface EventJob {
  conversationId: string;
  /** Not in jobs of versions that ordered by conversation alone: their events get others at the start. */
  callbackUrl?: string;
}

export const eventQueue = 'events';

/** Added to the time of one attempt before its process is taken for dead. */
const expiryMarginSeconds = 20;
/** Retries end by age (`retry-schedule`): a job that pg-boss itself lets fail would block its conversation. */
const unlimitedRetries = 1_000_000;
const jobRetentionSeconds = 60 * 24 * 3600;
const finishedJobSeconds = 3600;

const jobs = sql.table(`${jobSchema}.job`);

/** Makes the queue and puts right what a killed process or a restored backup left. */
export async function prepareEventQueue(
  db: Db,
  boss: PgBoss,
  { attemptLimitMs, exclusive }: { attemptLimitMs: number; exclusive: boolean },
): Promise<void> {
  const settings = {
    expireInSeconds: Math.ceil(attemptLimitMs / 1000) + expiryMarginSeconds,
    retryLimit: unlimitedRetries,
    retryDelay: 1,
    retentionSeconds: jobRetentionSeconds,
    deleteAfterSeconds: finishedJobSeconds,
  };
  await boss.createQueue(eventQueue, { ...settings, policy: 'key_strict_fifo' });
  await boss.updateQueue(eventQueue, settings);
  if (exclusive) await releaseOrphans(db, boss);
  await restoreJobs(db, boss);
}

export function isStream(job: EventJob): job is EventStream {
  return job.callbackUrl !== undefined;
}

/** URLs may be longer than an index takes. */
export function streamKey({ conversationId, callbackUrl }: EventStream): string {
  return `${conversationId} ${createHash('sha256').update(callbackUrl).digest('hex')}`;
}

/** In the transaction that writes the events. */
export async function sendEventJobs(trx: Db, boss: PgBoss, events: readonly EventStream[]): Promise<void> {
  const jobs = events.map(({ conversationId, callbackUrl }) => {
    const stream: EventStream = { conversationId, callbackUrl };
    const group = { id: URL.parse(callbackUrl)?.origin ?? callbackUrl };
    return { data: stream, singletonKey: streamKey(stream), group };
  });
  if (jobs.length > 0) await boss.insert(eventQueue, jobs, { db: fromKysely(trx) });
}

/** Jobs whose process was killed need not wait for their expiry. */
async function releaseOrphans(db: Db, boss: PgBoss): Promise<void> {
  const orphans = await sql<{ id: string }>`
    SELECT id FROM ${jobs} WHERE name = ${eventQueue} AND state = 'active'`.execute(db);
  for (const { id } of orphans.rows) {
    await boss.fail(eventQueue, id, { message: 'the process ended' });
    await boss.update(eventQueue, undefined, { id, startAfter: 0 });
  }
}

/** Every pending event has a job by construction; this heals what a former version, a backup or a hand left. */
async function restoreJobs(db: Db, boss: PgBoss): Promise<void> {
  const lost = await db
    .selectFrom('events')
    .selectAll()
    .where('deliveredAt', 'is', null)
    .where('deadAt', 'is', null)
    .where(
      sql<boolean>`NOT EXISTS (
        SELECT FROM ${jobs} AS job
        WHERE job.name = ${eventQueue} AND job.state <= 'active' AND job.singleton_key =
          events.conversation_id || ' ' || encode(sha256(convert_to(events.callback_url, 'UTF8')), 'hex'))`,
    )
    .execute();
  for (const event of lost) await db.transaction().execute((trx) => sendEventJobs(trx, boss, [event]));
}
