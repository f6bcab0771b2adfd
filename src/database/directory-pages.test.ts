import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { newId } from '../ids.ts';
import { deleteApplication, pageApplications, saveApplication } from './applications.ts';
import {
  endConnection,
  getConnection,
  identifyConnections,
  insertConnection,
  pageConnections,
} from './connections.ts';
import { insertConversation, pageConversations } from './conversations.ts';
import { deleteDialPermission, listDialPermissions, saveDialPermission } from './dial-permissions.ts';
import { eventState, insertEvent, pageEvents, setEventFailed, setEventsDelivered } from './events.ts';
import {
  assignNumber,
  deleteNumber,
  findApplicationOfNumber,
  getNumber,
  numbersByApplication,
  pageNumbers,
} from './numbers.ts';
import { type Cursor, decodeCursor, encodeCursor, type Page } from './page.ts';
import { insertRecording, pageRecordings } from './recordings.ts';
import type { Db } from './schema.ts';
import { startTemporaryDatabase, type TemporaryDatabase } from './temporary-database.ts';
import { deleteTrunk, getTrunk, insertTrunk, listTrunks } from './trunks.ts';

let database: TemporaryDatabase;
let db: Db;

before(async () => {
  database = await startTemporaryDatabase();
  db = database.db;
});

after(() => database.close());

const startTime = new Date('2026-11-21T10:00:00.123Z');
const minutesLater = (minutes: number) => new Date(startTime.getTime() + minutes * 60_000);

/** Every page down to the end, by cursors that went through their text, and the way back up. */
async function walk<Row>(list: string, fetch: (cursor?: Cursor) => Promise<Page<Row>>): Promise<Row[][]> {
  const over = (cursor: Cursor) => decodeCursor(list, encodeCursor(list, cursor));
  const down = [await fetch()];
  for (let next = down[0]!.next; next; next = down.at(-1)!.next) down.push(await fetch(over(next)));
  const up = [down.at(-1)!];
  for (let { previous } = up[0]!; previous; previous = up[0]!.previous)
    up.unshift(await fetch(over(previous)));
  assert.deepEqual(
    up.map(({ rows }) => rows),
    down.map(({ rows }) => rows),
  );
  return down.map(({ rows }) => rows);
}

describe('pages', () => {
  test('seven applications of one moment in pages of three, there and back', async () => {
    await db.transaction().execute(async (trx) => {
      for (let index = 0; index < 7; index++)
        await saveApplication(trx, {
          appId: newId(),
          accountId: 'many',
          name: `app ${index}`,
          onIncoming: null,
          defaultRoutine: null,
        });
    });
    const pages = await walk('applications', (cursor) => pageApplications(db, 'many', { limit: 3, cursor }));
    assert.deepEqual(
      pages.map(({ length }) => length),
      [3, 3, 1],
    );
    assert.equal(new Set(pages.flat().map(({ appId }) => appId)).size, 7);
  });

  test('numbers are in their order, whatever page they are on', async () => {
    const numbers = ['+3', '+1', '+5', '+2', '+4', 'lobby'];
    for (const number of numbers) await assignNumber(db, { number, accountId: 'n', appId: null });
    const pages = await walk('numbers', (cursor) => pageNumbers(db, 'n', { limit: 2, cursor }));
    assert.deepEqual(
      pages.flat().map(({ number }) => number),
      ['+1', '+2', '+3', '+4', '+5', 'lobby'],
    );
  });

  test('an empty list has no neighbours', async () => {
    const page = await pageNumbers(db, 'nobody', { limit: 2 });
    assert.deepEqual(page, { rows: [], next: undefined, previous: undefined });
  });

  test('a cursor of another list, or of nobody, is refused', () => {
    const cursor: Cursor = { direction: 'next', position: { at: startTime, id: 'a' } };
    const text = encodeCursor('connections', cursor);
    assert.deepEqual(decodeCursor('connections', text), cursor);
    const foreign = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    for (const wrong of [
      text.slice(1),
      '',
      'a'.repeat(400),
      foreign(null),
      foreign(['connections', 'next', 1.5, 'a']),
      foreign(['connections', 'next', 8.64e15, 'a']),
      foreign(['connections', 'sideways', 1, 'a']),
      foreign(['connections', 'next', 1, 'a\0']),
    ])
      assert.throws(() => decodeCursor('connections', wrong), { code: 'REQUEST_INVALID' });
    assert.throws(() => decodeCursor('conversations', text), { where: 'querystring.cursor' });
  });
});

describe('filters', () => {
  test('connections by party, direction, status and time', async () => {
    const made = [];
    for (let minute = 0; minute < 4; minute++)
      made.push(
        await insertConnection(db, {
          connectionId: newId(),
          accountId: 'filters',
          from: minute % 2 === 0 ? '+1' : '+2',
          to: '+9',
          direction: minute < 2 ? 'incoming' : 'outgoing',
          startTime: minutesLater(minute),
          sipCallId: null,
        }),
      );
    const ids = async (filter: Parameters<typeof pageConnections>[2]['filter']) =>
      (await pageConnections(db, 'filters', { limit: 10, filter })).rows.map((row) => row.connectionId);
    const [a, b, c, d] = made.map(({ connectionId }) => connectionId);
    assert.deepEqual(await ids({}), [d, c, b, a]);
    assert.deepEqual(await ids({ from: '+2' }), [d, b]);
    assert.deepEqual(await ids({ to: '+8' }), []);
    assert.deepEqual(await ids({ direction: 'incoming' }), [b, a]);
    assert.deepEqual(await ids({ status: 'connected' }), []);
    assert.deepEqual(await ids({ minCreated: minutesLater(1), maxCreated: minutesLater(2) }), [c, b]);
  });

  test('conversations by room, status and time', async () => {
    for (const minute of [0, 1])
      await insertConversation(db, {
        conversationId: newId(),
        accountId: 'rooms',
        conferenceName: `room ${minute}`,
        dialect: 'sift',
        startTime: minutesLater(minute),
        eventCallbacks: [],
      });
    const names = async (filter: Parameters<typeof pageConversations>[2]['filter']) =>
      (await pageConversations(db, 'rooms', { limit: 10, filter })).rows.map((row) => row.conferenceName);
    assert.deepEqual(await names({ status: 'active' }), ['room 1', 'room 0']);
    assert.deepEqual(await names({ status: 'ended' }), []);
    assert.deepEqual(await names({ conferenceName: 'room 0' }), ['room 0']);
    assert.deepEqual(await names({ minCreated: minutesLater(1) }), ['room 1']);
  });

  test('recordings by conversation and state', async () => {
    const conversationId = newId();
    const recordingId = newId();
    await insertRecording(db, {
      recordingId,
      conversationId,
      accountId: 'recs',
      kind: 'conference',
      rateHz: 8000,
      startSample: 0,
      startedAt: startTime,
      sealedKey: null,
      spoolDir: '/',
      node: 'x',
    });
    const count = async (filter: Parameters<typeof pageRecordings>[2]['filter']) =>
      (await pageRecordings(db, 'recs', { limit: 10, filter })).rows.length;
    assert.equal(await count({ conversationId }), 1);
    assert.equal(await count({ conversationId: newId() }), 0);
    assert.equal(await count({ state: 'ended' }), 0);
  });

  test('events by what became of them', async () => {
    const conversationId = newId();
    const made = [];
    for (const minute of [0, 1, 2]) {
      const event = {
        eventId: newId(),
        accountId: 'events',
        conversationId,
        type: 'ended',
        payload: {},
        callbackUrl: 'http://127.0.0.1/',
        createdAt: minutesLater(minute),
      };
      await db.transaction().execute((trx) => insertEvent(trx, event));
      made.push(event.eventId);
    }
    const [delivered, dead, pending] = made as [string, string, string];
    await setEventFailed(db, delivered, { lastError: 'not yet', deadAt: null });
    await setEventsDelivered(db, [delivered], startTime);
    await setEventFailed(db, dead, { lastError: 'gone', deadAt: startTime });
    for (const [state, eventId] of Object.entries({ delivered, dead, pending })) {
      const filter = { conversationId, state: state as 'dead' };
      const { rows } = await pageEvents(db, 'events', { limit: 10, filter });
      assert.deepEqual(
        rows.map((row) => [row.eventId, eventState(row)]),
        [[eventId, state]],
      );
    }
  });
});

describe('numbers outlive their application', () => {
  test('and are free then', async () => {
    const application = { accountId: 'own', name: 'a', onIncoming: null, defaultRoutine: null };
    const { appId, script } = await saveApplication(db, { ...application, appId: newId(), script: 'x' });
    assert.equal(script, 'x');
    await assignNumber(db, { number: '+15550009', accountId: 'own', appId });
    assert.deepEqual(await numbersByApplication(db, [appId]), new Map([[appId, ['+15550009']]]));
    const free = async (prefix: string) =>
      (await pageNumbers(db, 'own', { limit: 5, filter: { free: true, prefix } })).rows.length;
    assert.equal(await free('+1'), 0);
    assert.equal(await deleteApplication(db, 'other', appId), false);
    assert.equal(await deleteApplication(db, 'own', appId), true);
    assert.equal(await deleteApplication(db, 'own', appId), false);
    assert.deepEqual([await free('+1'), await free('+2'), await free('')], [1, 0, 1]);
    assert.equal(await findApplicationOfNumber(db, '+15550009'), undefined);
    assert.equal((await getNumber(db, 'own', '+15550009'))?.appId, null);
    assert.equal(await deleteNumber(db, 'own', '+15550009'), true);
    assert.equal(await getNumber(db, 'own', '+15550009'), undefined);
  });
});

describe('who calls and why it ended', () => {
  test('what became known of a call is added to its row; how it ended too', async () => {
    const connectionId = newId();
    const fresh = {
      connectionId,
      accountId: 'id',
      from: 'sip:a@b',
      to: '1000',
      direction: 'incoming' as const,
    };
    await insertConnection(db, { ...fresh, startTime, sipCallId: 'c', sipIdentity: { privacy: ['id'] } });
    const before = await getConnection(db, 'id', connectionId);
    assert.deepEqual(
      [before?.sipIdentity, before?.trunkId, before?.endReason],
      [{ privacy: ['id'] }, null, null],
    );
    const sipIdentity = { privacy: ['id'], passports: ['e"y\\'], trusted: true };
    const other = { ...fresh, connectionId: newId(), startTime, sipCallId: 'd' };
    await insertConnection(db, { ...other, sipIdentity, trunkId: 'u' });
    await identifyConnections(db, [
      { connectionId, from: 'anonymous', to: '1000', sipIdentity, trunkId: 't' },
      { connectionId: other.connectionId, from: '+15550100', to: '+15550101' },
    ]);
    const others = await getConnection(db, 'id', other.connectionId);
    assert.deepEqual(
      [others?.from, others?.to, others?.sipIdentity, others?.trunkId],
      ['+15550100', '+15550101', null, null],
    );
    await endConnection(db, connectionId, minutesLater(1), 'busy');
    const after = await getConnection(db, 'id', connectionId);
    assert.deepEqual(
      [after?.from, after?.sipIdentity, after?.trunkId, after?.endReason, after?.status],
      ['anonymous', sipIdentity, 't', 'busy', 'failed'],
    );
  });
});

describe('trunks and dial permissions', () => {
  test('a trunk comes back as it was written; a name is used once', async () => {
    const trunk = {
      trunkId: newId(),
      accountId: 'acc',
      name: 'carrier',
      host: 'sip.example.com',
      port: 5061,
      transport: 'tcp' as const,
      username: 'u',
      sealedPassword: 'c2VhbGVk',
      fromNumber: null,
      routes: [{ prefix: '+44', cost: 1.5 }],
      sourceNetworks: ['192.0.2.0/24', '2001:db8::/32'],
      createdAt: startTime,
    };
    const usual = {
      ...trunk,
      gateways: [],
      outboundProxy: null,
      registers: false,
      registrar: null,
      contactUser: null,
      priority: 0,
      options: {},
    };
    assert.deepEqual(await insertTrunk(db, trunk), usual);
    assert.equal(await insertTrunk(db, { ...trunk, trunkId: newId() }), undefined);
    assert.deepEqual(await listTrunks(db, 'acc'), [usual]);
    assert.deepEqual(await getTrunk(db, 'acc', trunk.trunkId), usual);
    assert.equal(await getTrunk(db, 'other', trunk.trunkId), undefined);
    assert.equal(await deleteTrunk(db, 'acc', trunk.trunkId), true);
    assert.equal(await deleteTrunk(db, 'acc', trunk.trunkId), false);
  });

  test('a trunk with everything set', async () => {
    const trunk = {
      trunkId: newId(),
      accountId: 'full',
      name: 'carrier',
      host: 'sip.example.com',
      port: null,
      transport: 'tls' as const,
      username: 'u',
      sealedPassword: 'c2VhbGVk',
      fromNumber: '+4930901820',
      routes: [],
      sourceNetworks: [],
      createdAt: startTime,
      gateways: [{ host: 'b.example.com', port: 5071 }],
      outboundProxy: 'proxy.example.com:5062',
      registers: true,
      registrar: 'registrar.example.com',
      contactUser: 'us',
      priority: -3,
      options: { callerId: 'p-asserted-identity' as const, country: 'DE', tlsVerify: false },
    };
    assert.deepEqual(await insertTrunk(db, trunk), trunk);
    assert.deepEqual(await getTrunk(db, 'full', trunk.trunkId), trunk);
  });

  test('a permission is set again and removed', async () => {
    await saveDialPermission(db, { accountId: 'acc', prefix: '+44', allow: true });
    await saveDialPermission(db, { accountId: 'acc', prefix: '+44', allow: false });
    assert.deepEqual(await listDialPermissions(db, 'acc'), [
      { accountId: 'acc', prefix: '+44', allow: false },
    ]);
    assert.deepEqual(await listDialPermissions(db, 'other'), []);
    assert.equal(await deleteDialPermission(db, 'acc', '+44'), true);
    assert.equal(await deleteDialPermission(db, 'acc', '+44'), false);
  });
});
