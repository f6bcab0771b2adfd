import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'kysely';
import type pg from 'pg';
import { FakeClock } from '../clock.ts';
import { silentLogger } from '../logger.ts';
import { ConnectionWaits } from './connection-waits.ts';
import { openDb, openPool } from './database.ts';
import type { Db } from './schema.ts';
import { startTemporaryDatabase, type TemporaryDatabase } from './temporary-database.ts';

const limitMs = 30_000;
const lock = 4242;

let database: TemporaryDatabase;
/** The server as it sees itself. */
let beside: pg.Pool;
before(async () => {
  database = await startTemporaryDatabase();
  beside = openPool(database.postgres!.address, silentLogger);
  await beside.query('CREATE TABLE public.written (what text PRIMARY KEY)');
});
after(async () => {
  await beside.end();
  await database.close();
});

/** With one connection, so that whoever comes next is given it where it is used again. */
async function withOne(use: (db: Db, pool: pg.Pool, clock: FakeClock) => Promise<void>): Promise<void> {
  const pool = openPool({ ...database.postgres!.address, max: 1 }, silentLogger);
  const clock = new FakeClock();
  try {
    await use(openDb(pool, { clock, limitMs }), pool, clock);
    assert.equal(clock.pendingTimers, 0);
    assert.deepEqual([pool.totalCount, pool.idleCount, pool.waitingCount], [1, 1, 0]);
  } finally {
    await pool.end();
  }
}

async function processOf(db: Db): Promise<number> {
  const { rows } = await sql<{ pid: number }>`SELECT pg_backend_pid() AS pid`.execute(db);
  return rows[0]!.pid;
}

async function end(pid: number): Promise<void> {
  await beside.query('SELECT pg_terminate_backend($1, 5000)', [pid]);
}

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  for (let left = 1000; left > 0; left--) {
    if (await isSo()) return;
    await delay(20);
  }
  assert.fail(`never: ${what}`);
}

async function isThere(condition: string, pid: number): Promise<boolean> {
  const { rows } = await beside.query(`SELECT FROM pg_stat_activity WHERE pid = $1 AND ${condition}`, [pid]);
  return rows.length > 0;
}

const isWaiting = (pid: number) => isThere("wait_event_type = 'Lock'", pid);

async function written(): Promise<string[]> {
  const { rows } = await beside.query<{ what: string }>('SELECT what FROM public.written ORDER BY what');
  return rows.map(({ what }) => what);
}

const unavailable = { code: 'DATABASE_UNAVAILABLE', status: 503, message: 'the database does not answer' };

test('a connection that is ended under a query', async () => {
  await withOne(async (db) => {
    const pid = await processOf(db);
    const asked = sql`SELECT pg_sleep(60)`.execute(db);
    await Promise.all([
      assert.rejects(asked, { ...unavailable, message: 'the database cannot serve now' }),
      until('it sleeps', () => isThere("wait_event = 'PgSleep'", pid)).then(() => end(pid)),
    ]);
    assert.notEqual(await processOf(db), pid);
  });
});

test('one that is ended under a query of a transaction, or between two: nothing of it is written', async () => {
  for (const isBetween of [false, true])
    await withOne(async (db, pool) => {
      const gone = Promise.withResolvers<void>();
      pool.once('acquire', (client) => client.once('end', gone.resolve));
      let pid = 0;
      const change = db.transaction().execute(async (trx) => {
        pid = await processOf(trx);
        await sql`INSERT INTO public.written VALUES ('half')`.execute(trx);
        const ended = end(pid);
        if (isBetween) await Promise.all([ended, gone.promise]);
        await sql`SELECT pg_sleep(60)`.execute(trx);
      });
      await assert.rejects(change, unavailable);
      assert.notEqual(await processOf(db), pid);
      assert.deepEqual(await written(), []);
    });
});

test('a query that takes too long is given up with its connection, in a transaction too', async () => {
  const holder = await beside.connect();
  await holder.query('SELECT pg_advisory_lock($1)', [lock]);
  const blocked = (db: Db) => sql`SELECT pg_advisory_xact_lock(${lock})`.execute(db);
  const pids: number[] = [];
  try {
    await withOne(async (db, _pool, clock) => {
      pids.push(await processOf(db));
      const alone = blocked(db);
      await until('it waits', () => isWaiting(pids[0]!));
      clock.advanceMs(limitMs - 1);
      assert.equal(await isWaiting(pids[0]!), true);
      clock.advanceMs(1);
      await assert.rejects(alone, unavailable);

      const change = db.transaction().execute(async (trx) => {
        pids.push(await processOf(trx));
        await sql`INSERT INTO public.written VALUES ('given up')`.execute(trx);
        await blocked(trx);
      });
      await until('it waits too', async () => pids.length === 2 && (await isWaiting(pids[1]!)));
      clock.advanceMs(limitMs);
      await assert.rejects(change, unavailable);
      pids.push(await processOf(db));
    });
    assert.equal(new Set(pids).size, 3);
    // While what they wait for is still held: a server that is asked again and again is not filled with them.
    for (const pid of pids) await until('its process has gone', async () => !(await isThere('true', pid)));
  } finally {
    await holder.query('SELECT pg_advisory_unlock_all()');
    holder.release();
  }
  assert.deepEqual(await written(), []);
});

test('who waits for a connection, and for how long', async () => {
  const pool = openPool({ ...database.postgres!.address, max: 1 }, silentLogger);
  const clock = new FakeClock();
  const waits = new ConnectionWaits(clock);
  const db = openDb(pool, { clock, limitMs }, waits);
  assert.equal(waits.longestMs, 0);
  const other = await pool.connect();
  const first = processOf(db);
  await until('it asks for one', async () => pool.waitingCount === 1);
  clock.advanceMs(30);
  const second = processOf(db);
  await until('the other asks', async () => pool.waitingCount === 2);
  clock.advanceMs(12);
  assert.equal(waits.longestMs, 42);
  other.release();
  await Promise.all([first, second]);
  assert.equal(waits.longestMs, 0);
  await pool.end();
  await assert.rejects(processOf(db));
  assert.equal(waits.longestMs, 0);
});

test('without a limit it is waited for', async () => {
  const holder = await beside.connect();
  await holder.query('SELECT pg_advisory_lock($1)', [lock]);
  const pool = openPool({ ...database.postgres!.address, max: 1 }, silentLogger);
  const db = openDb(pool);
  const pid = await processOf(db);
  const asked = sql`SELECT pg_advisory_xact_lock(${lock})`.execute(db);
  await until('it waits', () => isWaiting(pid));
  await holder.query('SELECT pg_advisory_unlock_all()');
  holder.release();
  await asked;
  assert.equal(await processOf(db), pid);
  await pool.end();
});

test('of what the server says, what is about itself; only a session that ends is not used again', async () => {
  await withOne(async (db) => {
    const pid = await processOf(db);
    const saying = (code: string) =>
      sql`DO ${sql.lit(`BEGIN RAISE EXCEPTION 'said' USING ERRCODE = '${code}'; END`)}`.execute(db);
    const cannotServe = { code: 'DATABASE_UNAVAILABLE', message: 'the database cannot serve now' };
    for (const code of ['53100', '53300']) await assert.rejects(saying(code), cannotServe, code);
    for (const code of ['22021', '23505', '40001', '54000', '57014', '57P04', 'XX000'])
      await assert.rejects(saying(code), { code, message: 'said' });
    assert.equal(await processOf(db), pid);
    for (const code of ['08006', '57P01', '57P02', '57P03']) {
      const before = await processOf(db);
      await assert.rejects(saying(code), cannotServe, code);
      assert.notEqual(await processOf(db), before);
    }
  });
});

test('nobody listens where it should be', async () => {
  const pool = openPool({ ...database.postgres!.address, port: 1 }, silentLogger);
  await assert.rejects(processOf(openDb(pool)), unavailable);
  await pool.end();
});
