import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { sql } from 'kysely';
import { newId } from '../ids.ts';
import { saveChannels } from './channels.ts';
import { insertConnection } from './connections.ts';
import { insertRecording } from './recordings.ts';
import { startTemporaryDatabase, type TemporaryDatabase } from './temporary-database.ts';
import { warmUpEnds } from './warm-up.ts';

let database: TemporaryDatabase;
before(async () => {
  database = await startTemporaryDatabase();
});
after(() => database.close());

test('warming up for ends ends nothing', async () => {
  const { db } = database;
  const accountId = 'warm';
  const connectionId = newId();
  const party = { from: '+15550100', to: '+15550001', direction: 'incoming' } as const;
  const startTime = new Date(Date.UTC(2026, 10, 22, 10));
  await insertConnection(db, { ...party, connectionId, accountId, startTime, sipCallId: 'x' });
  const recording = { recordingId: newId(), conversationId: newId(), accountId };
  const spool = { startSample: 0, startedAt: startTime, sealedKey: null, spoolDir: '/spool', node: 'local' };
  await insertRecording(db, { ...recording, ...spool, kind: 'conference', rateHz: 8000 });
  const stay = { startMs: 0, joinOrder: 1, endMs: 5, packets: 1 };
  await saveChannels(db, [{ ...recording, ...party, ...stay, connectionId, channelId: newId() }]);
  const rows = async () => {
    const tables = ['recordings', 'channels', 'conversations', 'connections', 'events'];
    return Promise.all(
      tables.map(async (table) => {
        const row = sql<object>`select to_jsonb(each) as row from ${sql.table(table)} each`;
        return (await row.execute(db)).rows;
      }),
    );
  };
  const before = await rows();
  assert.deepEqual(
    before.map((each) => each.length),
    [1, 1, 0, 1, 0],
  );
  await warmUpEnds(db);
  assert.deepEqual(await rows(), before);
});
