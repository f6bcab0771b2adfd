import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { FakeClock } from '../clock.ts';
import type { Db } from '../database/schema.ts';
import { startTemporaryDatabase, type TemporaryDatabase } from '../database/temporary-database.ts';
import { silentLogger } from '../logger.ts';
import { throwOnUnlistedTransitions } from '../state-machine.ts';
import { EarlyUploads } from './early-uploads.ts';
import { parseKeptUpload } from './kept-upload.ts';
import { failure, TestBucket } from './test-bucket.ts';
import {
  contentOf,
  endOf,
  inState,
  rowOf,
  seal,
  startRecording,
  type TestDeliverer,
  testDeliverer,
  testRenders,
  until,
} from './test-deliverer.ts';

throwOnUnlistedTransitions();

const partBytes = 8 * 1024 * 1024;
/** 8 kHz, one channel. */
const partMs = Math.ceil((partBytes * 1000) / 16_000);
let database: TemporaryDatabase;
let db: Db;
let bucket: TestBucket;
let clock = new FakeClock();
/** By which recordings grow: it has a timer while the next look is to come, and none during one. */
let growing = new FakeClock();
/** Storages answer at once. */
const storageClock = new FakeClock();
let control: TestDeliverer;
let early: EarlyUploads;
/** Of the file that grows. */
let bytes = 0;
let settled = 0;
let contents = contentOf;

before(async () => {
  database = await startTemporaryDatabase();
  db = database.db;
  bucket = await TestBucket.start();
});

after(async () => {
  await database.close();
  await bucket.server.stop();
});

afterEach(async () => {
  await early.close();
  await control.deliverer.stop();
  await db.deleteFrom('deliveries').execute();
  bucket.fault = () => undefined;
  bucket.uploads.clear();
  bucket.partWrites.clear();
  contents = contentOf;
});

async function start(): Promise<void> {
  clock = new FakeClock();
  growing = new FakeClock();
  settled = 0;
  const settings = { endpoints: { s3: { url: bucket.url } } };
  early = new EarlyUploads({
    ...{ db, seal, clock: growing, log: silentLogger, rendering: '1' },
    settings: { clock: storageClock, ...settings },
    renders: { open: (request) => testRenders(() => bytes, { complete: false, contents }).open(request) },
    settle: async () => void settled++,
  });
  control = testDeliverer(db, clock, {
    settings,
    storageClock,
    bytesOf: () => bytes,
    stopEarly: (recordingId) => early.stop(recordingId),
  });
  await control.deliverer.start();
}

async function record(): Promise<string> {
  const recordingId = await startRecording(db, control.rows, { url: 's3://bucket/long.wav' });
  early.follow({ recordingId, conversationId: `c${recordingId}`, rateHz: 8000, channels: 1 });
  return recordingId;
}

function advanceMs(ms: number): void {
  clock.advanceMs(ms);
  growing.advanceMs(ms);
}

async function grow(toParts: number): Promise<void> {
  const before = bytes;
  bytes = Math.floor(toParts * partBytes);
  await until('the look before', () => growing.pendingTimers > 0 || undefined);
  advanceMs(Math.ceil(((bytes - before) / partBytes) * partMs) + 15_000);
}

async function keptParts(recordingId: string): Promise<number[]> {
  const kept = parseKeptUpload((await rowOf(db, recordingId)).upload);
  return Object.keys(kept?.receipts ?? {}).map(Number);
}

function sent(recordingId: string, ...parts: number[]): Promise<true> {
  return until(`parts ${parts}`, async () =>
    `${await keptParts(recordingId)}` === `${parts}` ? true : undefined,
  );
}

async function end(recordingId: string): Promise<void> {
  await endOf(db, control.rows, recordingId);
  control.deliverer.kick();
}

test('parts go while the recording goes on, all but the first; at its end the rest follows', async () => {
  await start();
  bytes = 0;
  const recordingId = await record();
  await grow(1.5);
  assert.equal(settled, 0);
  await grow(2.2);
  await sent(recordingId, 2);
  await grow(3.4);
  await sent(recordingId, 2, 3);
  assert.equal(settled, 2);
  assert.equal((await rowOf(db, recordingId)).state, 'waiting');
  assert.equal(bucket.files.get('bucket/long.wav'), undefined);
  bytes = Math.floor(3.9 * partBytes);
  await end(recordingId);
  await inState(db, recordingId, 'delivered');
  assert.ok(bucket.files.get('bucket/long.wav')?.content.equals(contentOf(recordingId, bytes)));
  assert.deepEqual(Object.fromEntries(bucket.partWrites), { 1: 1, 2: 1, 3: 1, 4: 1 });
});

test('a part that is another in the file after all is sent again', async () => {
  await start();
  bytes = 0;
  const recordingId = await record();
  contents = (id, length) => contentOf(id, length).fill(1, 2 * partBytes, 2 * partBytes + 1);
  await grow(3.2);
  await sent(recordingId, 2, 3);
  await end(recordingId);
  await inState(db, recordingId, 'delivered');
  assert.ok(bucket.files.get('bucket/long.wav')?.content.equals(contentOf(recordingId, bytes)));
  assert.deepEqual(Object.fromEntries(bucket.partWrites), { 1: 1, 2: 1, 3: 2, 4: 1 });
});

test('a storage that does not take a part gets it later; one that forgot the upload, all of it', async () => {
  await start();
  bytes = 0;
  const recordingId = await record();
  let asked = 0;
  bucket.fault = ({ path }) =>
    path.includes('partNumber') && asked++ === 0 ? failure(503, 'SlowDown') : undefined;
  await grow(2.2);
  await until('the first try', () => asked > 0 || undefined);
  await until('the second try', () => {
    advanceMs(partMs);
    return asked > 1 || undefined;
  });
  await sent(recordingId, 2);
  bucket.uploads.clear();
  await grow(3.2);
  await sent(recordingId);
  await until('the new upload', async () => {
    advanceMs(partMs);
    return (await keptParts(recordingId)).length === 2 || undefined;
  });
  await end(recordingId);
  await inState(db, recordingId, 'delivered');
  assert.ok(bucket.files.get('bucket/long.wav')?.content.equals(contentOf(recordingId, bytes)));
});

test('consent withdrawn: what was sent is aborted, also what is on its way', async () => {
  await start();
  bytes = 0;
  const recordingId = await record();
  await grow(2.2);
  await sent(recordingId, 2);
  bucket.fault = ({ path }) => (path.includes('partNumber=3') ? 'stall' : undefined);
  const request = bucket.server.nextRequest();
  await grow(3.2);
  await request;
  await endOf(db, control.rows, recordingId, { reason: 'consent_withdrawn' });
  await control.deliveries.abandon(recordingId);
  assert.equal(bucket.uploads.size, 0);
  const row = await rowOf(db, recordingId);
  assert.deepEqual([row.state, row.upload, row.sealedCredentials], ['abandoned', null, null]);
});

test('a recording that ends before it is worth while is sent at its end', async () => {
  await start();
  bytes = 0;
  const recordingId = await record();
  await grow(1.5);
  await early.stop(recordingId);
  advanceMs(10 * partMs);
  assert.equal(settled, 0);
  await end(recordingId);
  await inState(db, recordingId, 'delivered');
  assert.ok(bucket.files.get('bucket/long.wav')?.content.equals(contentOf(recordingId, bytes)));
});
