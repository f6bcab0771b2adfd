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

/** Starts the job queue on our pool. One for the process; every kind of job is a queue in it. */
export async function startJobs(pool: pg.Pool, logger: Logger, clock?: BossClock): Promise<PgBoss> {
  const boss = new PgBoss({
    db: poolAdapter(pool),
    schema: jobSchema,
    schedule: false,
    superviseIntervalSeconds: supervisePeriodSeconds,
    monitorIntervalSeconds: supervisePeriodSeconds,
    clock,
  });
  boss.on('error', (error) => logger.error({ err: error }, 'job queue'));
  boss.on('warning', (warning) => logger.warn({ warning }, 'job queue'));
  return await boss.start();
}

function poolAdapter(pool: pg.Pool): BossDb {
  return {
    executeSql: (text, values) => pool.query(text, values),
    // Asked for only under a test clock, whose pool sets them by its connection options.
    setSessionStatements: async () => {},
  };
}
