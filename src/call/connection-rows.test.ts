import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { FakeClock } from '../clock.ts';
import { getConnection } from '../database/connections.ts';
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
  await rows.logged(connectionId, {} as never);
  const ended = await getConnection(db, 'account', connectionId);
  assert.deepEqual(
    [ended?.status, ended?.endReason, ended?.endTime?.getTime()],
    ['finished', 'hung-up', 1_790_000_060_000],
  );
});
