import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { sql } from 'kysely';
import { systemClock } from '../clock.ts';
import { newId } from '../ids.ts';
import { silentLogger } from '../logger.ts';
import { QualityMeter } from '../quality/quality-meter.ts';
import { Secret } from '../secret.ts';
import { getApplication, listApplications, saveApplication } from './applications.ts';
import {
  getChannel,
  insertChannel,
  listChannelsOfConversation,
  listChannelsOfRecording,
  saveChannels,
} from './channels.ts';
import {
  endConnection,
  endLostConnections,
  getConnection,
  insertConnection,
  insertConnections,
  pageConnections,
  setConnected,
} from './connections.ts';
import {
  getConversation,
  insertConversation,
  listActiveConversations,
  pageConversations,
  setEventCallbacks,
} from './conversations.ts';
import { openDb, openPool, startDatabase } from './database.ts';
import { endConversations } from './ends.ts';
import { insertEvent, listEventsOfConversation, nextPendingEvents } from './events.ts';
import { migrate } from './migrate.ts';
import { applyConfiguredNumbers, findApplicationOfNumber, listNumbersOfApplication } from './numbers.ts';
import {
  endRecording,
  findEndedRecordings,
  getRecording,
  insertRecording,
  listRecordingsOfConversation,
  listUnfinishedRecordings,
} from './recordings.ts';
import type { Db } from './schema.ts';
import { makeTemporaryDir, startTemporaryDatabase, type TemporaryDatabase } from './temporary-database.ts';

let database: TemporaryDatabase;
let db: Db;

before(async () => {
  database = await startTemporaryDatabase();
  db = database.db;
});

after(() => database.close());

const startTime = new Date('2026-11-21T10:00:00.123Z');
const endTime = new Date('2026-11-21T10:01:00.456Z');

describe('start', () => {
  test('a second server on the same data directory is refused, the first goes on', async () => {
    const options = { dataDir: database.dataDir, clock: systemClock, logger: silentLogger };
    await assert.rejects(startDatabase(options), { code: 'DATA_DIR_IN_USE' });
    assert.deepEqual(await listActiveConversations(db), []);
  });

  test('with a URL no server is started; two processes may share it', async () => {
    const { host, user } = database.postgres!.address;
    const url = new Secret(`postgres:///postgres?host=${encodeURIComponent(host)}&user=${user}`);
    const dir = makeTemporaryDir();
    const other = await startDatabase({ dataDir: dir, url, clock: systemClock, logger: silentLogger });
    assert.equal(other.postgres, undefined);
    assert.deepEqual(await listActiveConversations(other.db), []);
    await other.close();
    rmSync(dir, { recursive: true });
  });

  test('a wrong database name is reported at once', async () => {
    const { host, user } = database.postgres!.address;
    const url = new Secret(`postgres:///nowhere?host=${encodeURIComponent(host)}&user=${user}`);
    const dir = makeTemporaryDir();
    await assert.rejects(startDatabase({ dataDir: dir, url, clock: systemClock, logger: silentLogger }), {
      code: 'DATABASE_UNAVAILABLE',
      message: /nowhere/,
    });
    rmSync(dir, { recursive: true });
  });

  test('four processes that migrate an empty database at once all succeed', async () => {
    await database.pool.query('CREATE DATABASE fresh');
    const pools = [1, 2, 3, 4].map(() =>
      openPool({ ...database.postgres!.address, database: 'fresh' }, silentLogger),
    );
    await Promise.all(pools.map((pool) => migrate(openDb(pool))));
    const { rows } = await pools[0]!.query('SELECT name FROM callreel.kysely_migration');
    assert.deepEqual(
      rows.map(({ name }) => name),
      [
        ...['0001-nouns', '0002-trunks', '0003-trunk-options', '0004-call-logs', '0005-native-api'],
        ...['0006-channel-order', '0007-recorder', '0008-files', '0009-consent', '0010-application-dialects'],
        ...['0011-deliveries', '0012-sinch-applications', '0013-transcripts', '0014-quality'],
        ...['0015-backlogs'],
      ],
    );
    await Promise.all(pools.map((pool) => pool.end()));
  });
});

describe('applications and numbers', () => {
  test('the configuration makes an application for each number, the same one every time', async () => {
    const numbers = [
      { number: '+15550001', onIncoming: 'http://127.0.0.1:3000/incoming' },
      { number: 'lobby', defaultRoutine: [{ command: 'JoinConference', conference_name: 'lobby' }] },
    ];
    await applyConfiguredNumbers(db, 'acc', numbers);
    await applyConfiguredNumbers(db, 'acc', numbers);
    const applications = await listApplications(db, 'acc');
    assert.equal(applications.length, 2);
    const lobby = await findApplicationOfNumber(db, 'lobby');
    assert.deepEqual(lobby?.defaultRoutine, [{ command: 'JoinConference', conference_name: 'lobby' }]);
    assert.equal(lobby?.onIncoming, null);
    assert.equal((await findApplicationOfNumber(db, '+15550001'))?.onIncoming, numbers[0]?.onIncoming);
    assert.equal(await findApplicationOfNumber(db, '+15559999'), undefined);
    assert.deepEqual(await listNumbersOfApplication(db, lobby?.appId ?? ''), ['lobby']);
  });

  test('an application of another account is not found', async () => {
    const appId = newId();
    await saveApplication(db, { appId, accountId: 'acc', name: 'a', onIncoming: null, defaultRoutine: null });
    assert.equal((await getApplication(db, 'acc', appId))?.defaultRoutine, null);
    assert.equal(await getApplication(db, 'other', appId), undefined);
  });
});

describe('connections', () => {
  const fresh = (accountId: string) => ({
    connectionId: newId(),
    accountId,
    from: '+15550100',
    to: '+15550001',
    direction: 'incoming' as const,
    startTime,
    sipCallId: 'call@host',
  });

  test('connecting, connected, finished; an end comes once', async () => {
    const { connectionId } = await insertConnection(db, fresh('acc'));
    assert.equal((await getConnection(db, 'acc', connectionId))?.status, 'connecting');
    assert.equal(await setConnected(db, [connectionId, newId()]), 1);
    assert.equal(await setConnected(db, [connectionId]), 0);
    const ended = await endConnection(db, connectionId, endTime);
    assert.equal(ended?.status, 'finished');
    assert.deepEqual(ended?.endTime, endTime);
    assert.equal(await endConnection(db, connectionId, startTime), undefined);
    assert.equal(await setConnected(db, [connectionId]), 0);
  });

  test('those of one moment, each once', async () => {
    const [one, two] = [{ ...fresh('group'), sipIdentity: { privacy: ['id'] } }, fresh('group')];
    await insertConnections(db, [one]);
    assert.equal(await setConnected(db, [one.connectionId]), 1);
    await insertConnections(db, [one, two]);
    const { rows } = await pageConnections(db, 'group', { limit: 10 });
    assert.deepEqual(
      rows.map(({ connectionId, status, callId, sipIdentity }) => ({
        connectionId,
        status,
        callId,
        sipIdentity,
      })),
      [
        {
          connectionId: one.connectionId,
          status: 'connected',
          callId: one.connectionId,
          sipIdentity: one.sipIdentity,
        },
        { connectionId: two.connectionId, status: 'connecting', callId: two.connectionId, sipIdentity: null },
      ].toSorted((a, b) => (a.connectionId < b.connectionId ? 1 : -1)),
    );
    assert.equal(await endLostConnections(db, endTime), 2);
  });

  test('what never was connected has failed; a restart ends what was lost', async () => {
    const one = await insertConnection(db, fresh('lost'));
    const two = await insertConnection(db, fresh('lost'));
    await setConnected(db, [two.connectionId]);
    assert.equal(await endLostConnections(db, endTime), 2);
    assert.equal((await getConnection(db, 'lost', one.connectionId))?.status, 'failed');
    assert.equal((await getConnection(db, 'lost', two.connectionId))?.status, 'finished');
    assert.equal(await endLostConnections(db, endTime), 0);
  });

  test('pages follow each other without gap or repetition', async () => {
    for (let index = 0; index < 5; index++) await insertConnection(db, fresh('pages'));
    const all = await pageConnections(db, 'pages', { limit: 10 });
    const first = await pageConnections(db, 'pages', { limit: 2 });
    const rest = await pageConnections(db, 'pages', { limit: 10, cursor: first.next });
    assert.equal(all.rows.length, 5);
    assert.deepEqual([...first.rows, ...rest.rows], all.rows);
    const back = await pageConnections(db, 'pages', { limit: 2, cursor: rest.previous });
    assert.deepEqual(back.rows, first.rows);
    assert.deepEqual(
      [all.next, all.previous, first.previous, rest.next, back.previous],
      Array(5).fill(undefined),
    );
    assert.deepEqual(back.next, first.next);
  });
});

describe('conversations, recordings, channels', () => {
  test('a conversation ends once', async () => {
    const conversationId = newId();
    const conversation = {
      conversationId,
      accountId: 'acc',
      conferenceName: 'room',
      dialect: 'sift',
      startTime,
      eventCallbacks: [],
    };
    await insertConversation(db, conversation);
    const callbacks = ['http://127.0.0.1/a,"b"', 'http://127.0.0.1/{c}'];
    await setEventCallbacks(db, conversationId, callbacks);
    await insertConversation(db, conversation);
    assert.deepEqual(
      (await listActiveConversations(db)).map((row) => row.conversationId),
      [conversationId],
    );
    const [ended] = await endConversations(db, [{ conversationId, endTime, durationMs: 60_333 }]);
    assert.equal(ended?.durationMs, 60_333);
    assert.deepEqual(ended?.eventCallbacks, callbacks);
    assert.deepEqual(await endConversations(db, [{ conversationId, endTime, durationMs: 1 }]), []);
    assert.equal((await getConversation(db, 'acc', conversationId))?.durationMs, 60_333);
    assert.equal(await getConversation(db, 'other', conversationId), undefined);
    assert.equal((await pageConversations(db, 'acc', { limit: 10 })).rows.length, 1);
    assert.deepEqual(await listActiveConversations(db), []);
  });

  test('a recording ends once and with a reason', async () => {
    const recordingId = newId();
    const conversationId = newId();
    const recording = {
      recordingId,
      conversationId,
      accountId: 'acc',
      kind: 'conversation',
      rateHz: 8000,
      startSample: 0,
      startedAt: startTime,
      sealedKey: 'c2VhbGVk',
      spoolDir: '/spool/1',
      node: 'here',
    };
    await insertRecording(db, recording);
    assert.deepEqual(await findEndedRecordings(db, [recordingId, newId()]), new Set());
    assert.equal((await listUnfinishedRecordings(db, 'here')).length, 1);
    assert.deepEqual(await listUnfinishedRecordings(db, 'there'), []);
    const endSample = 48_000 * 86_400 * 30;
    const end = { reason: 'conversation_ended', endSample, endedAt: endTime };
    assert.equal((await endRecording(db, recordingId, end))?.endSample, endSample);
    assert.equal(await endRecording(db, recordingId, end), undefined);
    await insertRecording(db, recording);
    assert.deepEqual(await findEndedRecordings(db, [recordingId, newId()]), new Set([recordingId]));
    assert.deepEqual(await findEndedRecordings(db, []), new Set());
    assert.equal((await getRecording(db, 'acc', recordingId))?.state, 'ended');
    assert.equal((await listRecordingsOfConversation(db, conversationId)).length, 1);
    assert.deepEqual(await listUnfinishedRecordings(db, 'here'), []);
    await assert.rejects(
      sql`UPDATE callreel.recordings SET reason = NULL WHERE recording_id = ${recordingId}`.execute(db),
      /check constraint/,
    );
  });

  test('a channel whose row a crash prevented is written from its manifest', async () => {
    const channel = {
      channelId: newId(),
      recordingId: newId(),
      conversationId: newId(),
      accountId: 'acc',
      connectionId: newId(),
      from: '+15550100',
      to: '+15550001',
      direction: 'incoming' as const,
      startMs: 1000,
      joinOrder: 1,
    };
    const { recordingId, channelId, conversationId } = channel;
    const media = { received: { lost: 3 } };
    const quality = new QualityMeter(8000).figures();
    const other = { ...channel, channelId: newId(), joinOrder: 2, startMs: 2000, endMs: 5020, packets: 9 };
    const ended = { ...channel, startMs: 1020, endMs: 5020, packets: 200 };
    await saveChannels(db, [{ ...ended, media, quality }, other]);
    // What a crash left is written again from the manifest, which has no figures.
    await saveChannels(db, [ended]);
    await insertChannel(db, channel);
    const saved = await getChannel(db, recordingId, channelId);
    assert.deepEqual(saved, {
      ...channel,
      startMs: 1020,
      endMs: 5020,
      durationMs: 4000,
      packets: 200,
      quality,
      noMedia: false,
      media,
    });
    const saved2 = { ...other, durationMs: 3020, quality: null, noMedia: false, media: null };
    assert.deepEqual(await listChannelsOfConversation(db, conversationId), [saved, saved2]);
    assert.deepEqual(await listChannelsOfRecording(db, recordingId), [saved, saved2]);
  });

  test('channels that began together stand in the order their parties joined', async () => {
    const recordingId = newId();
    const conversationId = newId();
    // Ids in the opposite order: an order by id would not do.
    for (const [joinOrder, channelId] of ['c3', 'c2', 'c1'].entries())
      await saveChannels(db, [
        {
          channelId,
          recordingId,
          conversationId,
          accountId: 'acc',
          connectionId: newId(),
          from: '+1',
          to: '+2',
          direction: 'incoming',
          startMs: channelId === 'c1' ? 40 : 20,
          joinOrder,
          endMs: 1000,
          packets: 1,
        },
      ]);
    const ids = (channels: { channelId: string }[]) => channels.map(({ channelId }) => channelId);
    assert.deepEqual(ids(await listChannelsOfRecording(db, recordingId)), ['c3', 'c2', 'c1']);
    assert.deepEqual(ids(await listChannelsOfConversation(db, conversationId)), ['c3', 'c2', 'c1']);
    // Rows of before the column.
    await db
      .updateTable('channels')
      .set({ joinOrder: null })
      .where('recordingId', '=', recordingId)
      .execute();
    assert.deepEqual(ids(await listChannelsOfRecording(db, recordingId)), ['c2', 'c3', 'c1']);
  });

  test('a channel without a packet has no media; of one that goes on nobody knows yet', async () => {
    const channel = {
      channelId: newId(),
      recordingId: newId(),
      conversationId: newId(),
      accountId: 'acc',
      connectionId: newId(),
      from: '+1',
      to: '+2',
      direction: 'incoming' as const,
      startMs: 0,
      joinOrder: 0,
    };
    await insertChannel(db, channel);
    assert.equal((await getChannel(db, channel.recordingId, channel.channelId))?.noMedia, null);
    await saveChannels(db, [{ ...channel, endMs: 1000, packets: 0 }]);
    assert.equal((await getChannel(db, channel.recordingId, channel.channelId))?.noMedia, true);
  });
});

describe('events', () => {
  const callbackUrl = 'http://127.0.0.1/';
  const event = (conversationId: string, type: string) => ({
    eventId: newId(),
    accountId: 'acc',
    conversationId,
    type,
    payload: { type, nested: { snake_case: [1, null] } },
    callbackUrl,
    createdAt: startTime,
  });

  test('a payload comes back as it was written', async () => {
    const conversationId = newId();
    const written = event(conversationId, 'ended');
    await db.transaction().execute((trx) => insertEvent(trx, written));
    assert.deepEqual(
      (await nextPendingEvents(db, [{ conversationId, callbackUrl }]))[0]?.payload,
      written.payload,
    );
  });

  test('a writer waits for an earlier one of its conversation, not for those of others', async () => {
    const conversationId = newId();
    const { promise: written, resolve: onWritten } = Promise.withResolvers<void>();
    const { promise: mayCommit, resolve: commit } = Promise.withResolvers<void>();
    const early = db.transaction().execute(async (trx) => {
      await insertEvent(trx, event(conversationId, 'first'));
      onWritten();
      await mayCommit;
    });
    await written;
    const second = db.transaction().execute((trx) => insertEvent(trx, event(conversationId, 'second')));
    const waiting = sql<{
      n: number;
    }>`SELECT count(*) AS n FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`;
    while ((await waiting.execute(db)).rows[0]?.n !== 1) await setImmediate();
    await db.transaction().execute((trx) => insertEvent(trx, event(newId(), 'elsewhere')));
    assert.deepEqual(await nextPendingEvents(db, [{ conversationId, callbackUrl }]), []);
    commit();
    await Promise.all([early, second]);
    const types = (await listEventsOfConversation(db, conversationId)).map(({ type }) => type);
    assert.deepEqual(types, ['first', 'second']);
  });
});
