import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { FakeClock } from '../clock.ts';
import { getConnection } from '../database/connections.ts';
import { openDb, openPool } from '../database/database.ts';
import { startTemporaryDatabase, type TemporaryDatabase } from '../database/temporary-database.ts';
import { newId } from '../ids.ts';
import { silentLogger } from '../logger.ts';
import type { Connection } from './connection.ts';
import { ConnectionRows } from './connection-rows.ts';
import { WriteQueue } from './write-queue.ts';

let database: TemporaryDatabase;
before(async () => {
  database = await startTemporaryDatabase();
});
after(() => database.close());

test('a connection from its start to its end, in order, without anybody waiting', async () => {
  const { db } = database;
  const rows = new ConnectionRows(db, new WriteQueue(new FakeClock(), silentLogger));
  const connectionId = newId();
  const connection: Connection = {
    ...{ connectionId, accountId: 'account', from: '', to: 'b', direction: 'incoming', sipCallId: 'x' },
    startedUnixMs: 1_790_000_000_000,
  };
  rows.started(connection);
  rows.identified({ ...connection, from: '+15550100' });
  rows.answered(connectionId);
  await rows.written(connectionId);
  const answered = await getConnection(db, 'account', connectionId);
  assert.deepEqual(
    [answered?.from, answered?.status, answered?.startTime.getTime()],
    ['+15550100', 'connected', 1_790_000_000_000],
  );
  rows.ended(connectionId, 1_790_000_060_000, 'hung-up');
  await rows.logged(connectionId, { messages: [], dropped: 0, media: { agreed: [] } });
  const ended = await getConnection(db, 'account', connectionId);
  assert.deepEqual(
    [ended?.status, ended?.endReason, ended?.endTime?.getTime()],
    ['finished', 'hung-up', 1_790_000_060_000],
  );
});

const limitMs = 30_000;

/** With connections whose writes wait, until `goOn`, for somebody else. */
async function stalled(
  use: (stage: {
    clock: FakeClock;
    queue: WriteQueue;
    rows: ConnectionRows;
    /** Process ids of those that wait, once there are so many. */
    waiting(count: number): Promise<number[]>;
    goOn(): Promise<void>;
  }) => Promise<void>,
): Promise<void> {
  const [pool, beside] = [1, 2].map(() => openPool(database.postgres!.address, silentLogger)) as [
    ReturnType<typeof openPool>,
    ReturnType<typeof openPool>,
  ];
  const clock = new FakeClock();
  const queue = new WriteQueue(clock, silentLogger);
  const rows = new ConnectionRows(openDb(pool, { clock, limitMs }), queue);
  const holder = await beside.connect();
  await holder.query('BEGIN; LOCK TABLE callreel.connections IN ACCESS EXCLUSIVE MODE');
  const waiting = (count: number) =>
    until(`${count} that wait`, async () => {
      const { rows: found } = await beside.query<{ pid: number }>(
        "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'",
      );
      return found.length === count ? found.map(({ pid }) => pid) : undefined;
    });
  const goOn = async () => void (await holder.query('COMMIT'));
  try {
    await use({ clock, queue, rows, waiting, goOn });
  } finally {
    await goOn();
    holder.release();
    await Promise.all([pool.end(), beside.end()]);
  }
}

async function until<T>(what: string, look: () => T | undefined | Promise<T | undefined>): Promise<T> {
  for (let left = 1000; left > 0; left--) {
    const found = await look();
    if (found !== undefined) return found;
    await delay(10);
  }
  return assert.fail(`never: ${what}`);
}

function begin(rows: ConnectionRows): string {
  const connectionId = newId();
  rows.started({
    ...{ connectionId, accountId: 'account', from: '', to: 'b', direction: 'incoming', sipCallId: 'x' },
    startedUnixMs: 1_790_000_000_000,
  });
  rows.answered(connectionId);
  return connectionId;
}

async function assertWritten(connectionIds: readonly string[]): Promise<void> {
  for (const connectionId of connectionIds)
    assert.equal((await getConnection(database.db, 'account', connectionId))?.status, 'connected');
}

test('writes whose connections are cut are written again: together, each by itself, and later', async () => {
  await stalled(async ({ clock, queue, rows, waiting, goOn }) => {
    const cut = (pids: readonly number[]) =>
      database.pool.query('SELECT pg_terminate_backend(pid, 5000) FROM unnest($1::int[]) AS pid', [pids]);
    const ids = [begin(rows)];
    const first = await waiting(1);
    ids.push(begin(rows), begin(rows));
    await cut(first);
    await cut(await waiting(1));
    await cut(await waiting(2));
    await until('all to wait for their time', () => (clock.pendingTimers === 3 ? true : undefined));
    await waiting(0);
    await goOn();
    clock.advanceMs(100);
    await queue.whenIdle();
    await assertWritten(ids);
    assert.equal(clock.pendingTimers, 0);
  });
});

test('writes that a hung database keeps waiting are given up with their connections, and written again', async () => {
  await stalled(async ({ clock, queue, rows, waiting, goOn }) => {
    const ids = [begin(rows)];
    await waiting(1);
    ids.push(begin(rows), begin(rows));
    for (const what of ['the first for its time, the others for an answer', 'each for an answer']) {
      clock.advanceMs(limitMs);
      await until(what, () => (clock.pendingTimers === 2 ? true : undefined));
    }
    await goOn();
    await queue.whenIdle();
    await assertWritten(ids);
    assert.equal(clock.pendingTimers, 0);
  });
});
