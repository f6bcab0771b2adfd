import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { insertConversation } from '../database/conversations.ts';
import { beginErasure, endRecording, getRecording, insertRecording } from '../database/recordings.ts';
import { startTemporaryDatabase, type TemporaryDatabase } from '../database/temporary-database.ts';
import { CallreelError } from '../errors.ts';
import { silentLogger } from '../logger.ts';
import { TestSpool, testParty } from '../spool/test-spool.ts';
import { RecordingEraser } from './recording-eraser.ts';

const accountId = 'account';
let database: TemporaryDatabase;
let spool: TestSpool;
let eraser: RecordingEraser;
let forgotten: string[];
let erasedFiles: unknown[];

before(async () => {
  database = await startTemporaryDatabase();
  const common = { accountId, conferenceName: 'room', dialect: 'native', eventCallbacks: [] };
  await insertConversation(database.db, { ...common, conversationId: 'room', startTime: new Date(0) });
});
after(() => database.close());
beforeEach(async () => {
  await database.db.deleteFrom('recordings').execute();
  spool = new TestSpool();
  forgotten = [];
  erasedFiles = [];
  eraser = new RecordingEraser({
    db: database.db,
    clock: spool.clock,
    log: silentLogger,
    spoolDir: spool.spoolDirectory,
    forget: (recordingId) => void forgotten.push(recordingId),
    eraseFile: async ({ recordingId, fileOrder }) => {
      assert.equal(existsSync(manifest(recordingId)), false, 'nothing can be made of it again');
      erasedFiles.push(fileOrder);
    },
  });
});
afterEach(() => spool.remove());

/** One packet, on disk and on record. */
async function record(recordingId: string, ended = true, reason = 'stopped'): Promise<void> {
  const { sealedKey } = spool.startRecording(recordingId);
  const track = { type: 'track', trackId: 't1', startSample: 0, party: testParty } as const;
  spool.producer.append(recordingId, track);
  const segmentId = recordingId.padEnd(16, '0');
  const wants = [{ recordingId, startSample: 0 }];
  const segment = spool.producer.openSegment({ segmentId, conversationId: 'room', trackId: 't1', wants });
  spool.producer.packet(segment, 1, 0, 0, Buffer.alloc(160, 1));
  spool.producer.closeSegment(segment);
  await insertRecording(database.db, {
    recordingId,
    conversationId: 'room',
    accountId,
    kind: 'conference',
    rateHz: 8000,
    startSample: 0,
    startedAt: new Date(0),
    sealedKey,
    spoolDir: spool.spoolDirectory,
    node: 'node',
    fileOrder: { path: `/files/${recordingId}.wav` },
  });
  if (ended) {
    spool.producer.append(recordingId, { type: 'end', atSample: 160, endedUnixMs: 0, reason: 'stopped' });
    spool.producer.finishRecording(recordingId);
    const end = { reason, endSample: 160, endedAt: new Date(20) };
    await endRecording(database.db, recordingId, end);
  }
  spool.pump();
}

const manifest = (recordingId: string) => spool.path(`room/${recordingId}.rec`);
const coded = (code: string) => (error: unknown) => error instanceof CallreelError && error.code === code;

test('files, key and what is kept in memory go; the row stays, with the time', async () => {
  await record('a');
  await record('b');
  assert.ok(existsSync(manifest('a')));
  await eraser.erase(accountId, 'a');
  assert.deepEqual([existsSync(manifest('a')), existsSync(manifest('b'))], [false, true]);
  assert.deepEqual([forgotten, erasedFiles], [['a'], [{ path: '/files/a.wav' }]]);
  const row = await getRecording(database.db, accountId, 'a');
  assert.deepEqual(
    [row?.sealedKey, row?.fileOrder, row?.erasedAt],
    [null, null, new Date(spool.clock.unixMs())],
  );
  assert.notEqual((await getRecording(database.db, accountId, 'b'))?.sealedKey, null);
  await assert.rejects(eraser.erase(accountId, 'a'), coded('NOT_FOUND'));
});

test('one that runs, is unknown or is of another account is left alone', async () => {
  await record('a', false);
  await assert.rejects(eraser.erase(accountId, 'a'), coded('CONFLICT'));
  await assert.rejects(eraser.erase(accountId, 'none'), coded('NOT_FOUND'));
  await record('b');
  await assert.rejects(eraser.erase('another account', 'b'), coded('NOT_FOUND'));
  assert.ok(existsSync(manifest('a')) && existsSync(manifest('b')));
});

test('what a crash interrupted is finished at the next start, with the time of its beginning', async () => {
  await record('a');
  const beganAt = new Date(12_345);
  assert.ok(await beginErasure(database.db, accountId, 'a', beganAt));
  assert.ok(existsSync(manifest('a')));
  await eraser.finishInterrupted();
  assert.equal(existsSync(manifest('a')), false);
  const row = await getRecording(database.db, accountId, 'a');
  assert.deepEqual([row?.sealedKey, row?.erasedAt], [null, beganAt]);
  await eraser.finishInterrupted();
  assert.deepEqual(forgotten, ['a']);
});

test('a consent that was withdrawn while it ran: erased at the next start, whatever else is found to have ended it', async () => {
  for (const recordingId of ['a', 'b', 'c']) await record(recordingId, false);
  await eraser.withdraw('another account', 'b');
  await eraser.withdraw(accountId, 'a');
  for (const recordingId of ['a', 'b']) {
    const reason = 'interrupted';
    spool.producer.append(recordingId, { type: 'end', atSample: 160, endedUnixMs: 0, reason });
    spool.producer.finishRecording(recordingId);
    await endRecording(database.db, recordingId, { reason, endSample: 160, endedAt: new Date(20) });
  }
  spool.pump();
  await eraser.finishInterrupted();
  assert.deepEqual(['a', 'b', 'c'].map(manifest).map(existsSync), [false, true, true]);
  const rows = await Promise.all(['a', 'b'].map((each) => getRecording(database.db, accountId, each)));
  assert.deepEqual(
    rows.map((row) => row?.reason),
    ['consent_withdrawn', 'interrupted'],
  );
  assert.equal(rows[0]!.sealedKey, null);
});

test('a withdrawn consent that a crash kept from being carried out is, at the next start', async () => {
  await record('a', true, 'consent_withdrawn');
  await record('b');
  await eraser.finishInterrupted();
  assert.equal(existsSync(manifest('a')), false);
  assert.equal(existsSync(manifest('b')), true);
  const row = await getRecording(database.db, accountId, 'a');
  assert.ok(row?.erasedAt);
  assert.equal(row.sealedKey, null);
  assert.deepEqual(forgotten, ['a']);
});
