import { sql } from 'kysely';
import { fromKysely, type PgBoss } from 'pg-boss';
import type { Db, Event } from '../database/schema.ts';
import { jobSchema } from './jobs.ts';

/**
 * A job does not name its event: it is the right to deliver its conversation's next pending one. pg-boss gives out
 * one job of a conversation at a time (`key_strict_fifo`), but orders them by the start of their transactions, which
 * is not the order of the commits; `events.sequence` is.
 */
export interface EventJob {
  conversationId: string;
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

/** In the transaction that writes the event. */
export async function sendEventJob(trx: Db, boss: PgBoss, event: Event): Promise<void> {
  const { conversationId, callbackUrl } = event;
  const job: EventJob = { conversationId };
  await boss.send(eventQueue, job, {
    db: fromKysely(trx),
    singletonKey: conversationId,
    group: { id: URL.parse(callbackUrl)?.origin ?? callbackUrl },
  });
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

/** Every pending event has a job by construction; this heals a database that was restored or tampered with. */
async function restoreJobs(db: Db, boss: PgBoss): Promise<void> {
  const lost = await db
    .selectFrom('events')
    .selectAll()
    .where('deliveredAt', 'is', null)
    .where('deadAt', 'is', null)
    .where(
      sql<boolean>`NOT EXISTS (
        SELECT FROM ${jobs} AS job
        WHERE job.name = ${eventQueue} AND job.singleton_key = events.conversation_id AND job.state <= 'active')`,
    )
    .execute();
  for (const event of lost) await db.transaction().execute((trx) => sendEventJob(trx, boss, event));
}
