import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { sql } from 'kysely';
import type { PgBoss } from 'pg-boss';
import { systemClock } from '../clock.ts';
import { startTemporaryDatabase, type TemporaryDatabase } from '../database/temporary-database.ts';
import { jobSchema, startJobs } from '../delivery/jobs.ts';
import { Outbox } from '../delivery/outbox.ts';
import { silentLogger } from '../logger.ts';
import { Directory } from './directory.ts';
import type { NeutralEvent } from './neutral-events.ts';

let database: TemporaryDatabase;
let boss: PgBoss;
let outbox: Outbox;
let sent = 0;
before(async () => {
  database = await startTemporaryDatabase();
  boss = await startJobs(database.pool, silentLogger);
  outbox = await Outbox.start({
    ...{ db: database.db, clock: systemClock, boss, logger: silentLogger, exclusive: true },
    send: async () => void sent++,
  });
});

after(async () => {
  await outbox.stop(0);
  await boss.stop({ graceful: false });
  await database.close();
});

test('a rehearsal comes as far as the events of every dialect, and leaves no row', async () => {
  const { db } = database;
  const made: string[] = [];
  const formatter = (dialect: string) => (event: NeutralEvent) => {
    made.push(`${dialect} ${event.kind}`);
    return { ...event };
  };
  const directory = new Directory({
    ...{ db, clock: systemClock, log: silentLogger, outbox, spoolDir: '/spool', node: 'local' },
    formatters: { one: formatter('one'), other: formatter('other') },
  });
  await directory.rehearseEnds();
  assert.deepEqual([...new Set(made)].sort(), [
    'one conversation.ended',
    'one recording.changed',
    'other conversation.ended',
    'other recording.changed',
  ]);
  const tables = ['recordings', 'channels', 'conversations', 'connections', 'events', 'deliveries'];
  for (const table of [...tables, `${jobSchema}.job`]) {
    const { rows } = await sql<{ count: string }>`select count(*) from ${sql.table(table)}`.execute(db);
    assert.equal(Number(rows[0]!.count), 0, table);
  }
  outbox.kick();
  await outbox.stop();
  assert.equal(sent, 0);
});
