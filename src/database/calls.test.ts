import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { newId } from '../ids.ts';
import {
  countLegs,
  listLegLogs,
  listLegs,
  listRecordedStays,
  listRecordingsOfConnections,
  pageCalls,
  saveLegLogs,
} from './calls.ts';
import { saveChannels } from './channels.ts';
import { insertConnection } from './connections.ts';
import { insertRecording } from './recordings.ts';
import type { Db } from './schema.ts';
import { startTemporaryDatabase, type TemporaryDatabase } from './temporary-database.ts';

let database: TemporaryDatabase;
let db: Db;
before(async () => {
  database = await startTemporaryDatabase();
  db = database.db;
});
after(() => database.close());

let second = 0;
async function connection(accountId: string, callId?: string): Promise<string> {
  const connectionId = newId();
  const startTime = new Date(Date.UTC(2026, 10, 21, 10, 0, second++));
  await insertConnection(db, {
    connectionId,
    accountId,
    callId,
    from: '+15550100',
    to: '+15550001',
    direction: callId === undefined ? 'incoming' : 'outgoing',
    startTime,
    sipCallId: 'x',
  });
  return connectionId;
}

async function recorded(connectionId: string, sealedKey: string | null): Promise<string> {
  const recordingId = newId();
  const row = { recordingId, conversationId: `room ${recordingId}`, accountId: 'rec' };
  await insertRecording(db, {
    ...row,
    kind: 'conference',
    rateHz: 8000,
    startSample: 0,
    startedAt: new Date(0),
    sealedKey,
    spoolDir: '/spool',
    node: 'local',
  });
  const party = { connectionId, from: 'a', to: 'b', direction: 'incoming' as const };
  const stay = { startMs: 0, joinOrder: 0, endMs: 1, packets: 1 };
  await saveChannels(db, [{ ...row, ...party, ...stay, channelId: `c ${recordingId}` }]);
  return recordingId;
}

test('a call and its legs, found by any of them, of its own account alone', async () => {
  const first = await connection('calls');
  const leg = await connection('calls', first);
  const other = await connection('calls');
  const ids = async (accountId: string, id: string) =>
    (await listLegs(db, accountId, id)).map(({ connectionId }) => connectionId);
  assert.deepEqual(await ids('calls', first), [first, leg]);
  assert.deepEqual(await ids('calls', leg), [first, leg]);
  assert.deepEqual(await ids('calls', other), [other]);
  assert.deepEqual(await ids('other', first), []);
  assert.deepEqual(await ids('calls', 'unknown'), []);
  assert.deepEqual(
    await countLegs(db, [first, other]),
    new Map([
      [first, 2],
      [other, 1],
    ]),
  );
});

test('pages are of calls, not of legs', async () => {
  const calls: string[] = [];
  for (let k = 0; k < 5; k++) {
    calls.unshift(await connection('pages'));
    await connection('pages', calls[0]);
  }
  const page = await pageCalls(db, 'pages', { limit: 3 });
  const next = await pageCalls(db, 'pages', { limit: 3, cursor: page.next });
  assert.deepEqual(
    [...page.rows, ...next.rows].map(({ connectionId }) => connectionId),
    calls,
  );
  assert.equal(next.next, undefined);
  const filter = { from: '+15550100', to: '+15550001', status: 'connecting', direction: 'incoming' } as const;
  assert.equal((await pageCalls(db, 'pages', { limit: 9, filter })).rows.length, 5);
  for (const [key, value] of Object.entries({
    from: 'x',
    to: 'x',
    status: 'failed',
    direction: 'outgoing',
  })) {
    const none = await pageCalls(db, 'pages', { limit: 9, filter: { [key]: value } });
    assert.equal(none.rows.length, 0, key);
  }
});

test('a log is written once, for a connection that is on record, and goes with it', async () => {
  const id = await connection('logs');
  const log = { messages: [{ text: 'INVITE "ü" \\ \u{1f600}' }], dropped: 3, media: { agreed: [] } };
  await saveLegLogs(db, [{ connectionId: id, ...log }]);
  await saveLegLogs(db, [
    { connectionId: id, ...log, messages: [] },
    { connectionId: 'unknown', ...log },
  ]);
  assert.deepEqual(await listLegLogs(db, [id, 'unknown']), [{ connectionId: id, ...log }]);
  assert.deepEqual(await listLegLogs(db, []), []);
  await db.deleteFrom('connections').where('connectionId', '=', id).execute();
  assert.deepEqual(await listLegLogs(db, [id]), []);
});

test('logs of many at once: each goes to its connection', async () => {
  const ids = [await connection('many'), await connection('many'), await connection('many')];
  const logs = ids.map((connectionId, index) => ({
    connectionId,
    messages: Array.from({ length: index }, (_, k) => ({ text: `${index} ${k}`, atUnixUs: 1.79e15 + k })),
    dropped: index,
    media: { agreed: [{ atMs: index }] },
  }));
  await saveLegLogs(db, logs);
  const kept = await listLegLogs(db, ids);
  assert.deepEqual(
    kept.toSorted((a, b) => a.dropped - b.dropped),
    logs,
  );
});

test('recordings of connections: those that hold a channel, and those of rooms they are in; no erased ones', async () => {
  const id = await connection('rec');
  const kept = await recorded(id, 'key');
  const erased = await recorded(id, null);
  const live = await recorded('somebody else', 'key');
  const ids = async (connectionIds: string[], rooms: string[]) =>
    (await listRecordingsOfConnections(db, connectionIds, rooms)).map(({ recordingId }) => recordingId);
  assert.deepEqual(await ids([id], []), [kept]);
  assert.deepEqual(new Set(await ids([id], [`room ${live}`])), new Set([kept, live]));
  assert.deepEqual(await ids([], []), []);
  assert.deepEqual(
    (await listRecordedStays(db, [id])).map(({ recordingId }) => recordingId).toSorted(),
    [kept, erased].toSorted(),
  );
});
