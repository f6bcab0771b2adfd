import type pg from 'pg';
import { type Clock as BossClock, type Db as BossDb, PgBoss } from 'pg-boss';
import type { Clock } from '../clock.ts';
import type { Logger } from '../logger.ts';

/** pg-boss's own schema, beside ours. */
export const jobSchema = 'callreel_jobs';

/** The time that events are delivered by, in our code and in the job queue's. A test's. */
export interface DeliveryTime {
  clock: Clock;
  /** pg-boss's test clock; its connections need `testClockSession`. */
  jobs: BossClock;
}

/** Run-time option of a connection on which the job queue's test clock counts. */
export const testClockSession = '-c pgboss.test_clock=on';

/** How often jobs are looked for whose process died with them. */
const supervisePeriodSeconds = 15;
/** Of one query of the queue, its migrations aside; a connection whose query takes longer is closed. */
const queryLimitMs = 5 * 60_000;

/** Starts the job queue on our pool. One for the process; every kind of job is a queue in it. */
export async function startJobs(pool: pg.Pool, logger: Logger, clock?: BossClock): Promise<PgBoss> {
  const db = new PoolAdapter(pool);
  const boss = new PgBoss({
    db,
    schema: jobSchema,
    schedule: false,
    superviseIntervalSeconds: supervisePeriodSeconds,
    monitorIntervalSeconds: supervisePeriodSeconds,
    clock,
  });
  boss.on('error', (error) => logger.error({ err: error }, 'job queue'));
  boss.on('warning', (warning) => logger.warn({ warning }, 'job queue'));
  const started = await boss.start();
  db.limitMs = queryLimitMs;
  return started;
}

class PoolAdapter implements BossDb {
  readonly #pool: pg.Pool;
  limitMs: number | undefined;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  async executeSql(text: string, values?: unknown[]): Promise<pg.QueryResult> {
    const query = { text, values, query_timeout: this.limitMs };
    return await this.#pool.query(query);
  }

  /** Asked for only under a test clock, whose pool sets them by its connection options. */
  async setSessionStatements(): Promise<void> {}
}
