import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { FakeClock, sleep, systemClock } from '../clock.ts';
import type { Db } from '../database/schema.ts';
import { startTemporaryDatabase, type TemporaryDatabase } from '../database/temporary-database.ts';
import { throwOnUnlistedTransitions } from '../state-machine.ts';
import { OwnStore } from './destinations/own-store.ts';
import { failure, TestBucket } from './test-bucket.ts';
import {
  contentOf,
  credentials,
  endOf,
  inState,
  masterKey,
  rowOf,
  startRecording,
  type TestDeliverer,
  type TestDelivererOptions,
  testDeliverer,
  toldOf,
  until,
} from './test-deliverer.ts';

throwOnUnlistedTransitions();

const hourMs = 3_600_000;
const partBytes = 8 * 1024 * 1024;
const longBytes = 2 * partBytes + 12_345;
let database: TemporaryDatabase;
let db: Db;
let bucket: TestBucket;
/** Of the schedule. */
let clock = new FakeClock();
let storageClock = new FakeClock();
let directory = '';
const started: TestDeliverer[] = [];

before(async () => {
  database = await startTemporaryDatabase();
  db = database.db;
  bucket = await TestBucket.start();
  directory = mkdtempSync(join(tmpdir(), 'callreel-deliverer-'));
});

after(async () => {
  await database.close();
  await bucket.server.stop();
  rmSync(directory, { recursive: true, force: true });
});

afterEach(async () => {
  bucket.fault = () => undefined;
  for (const { deliverer } of started.splice(0)) await deliverer.stop();
  await db.deleteFrom('deliveries').execute();
  bucket.uploads.clear();
  bucket.partWrites.clear();
  clock = new FakeClock();
  storageClock = new FakeClock();
});

async function start(options: Partial<TestDelivererOptions> = {}): Promise<TestDeliverer> {
  const settings = { endpoints: { s3: { url: bucket.url } } };
  const made = testDeliverer(db, clock, { settings, storageClock, ...options });
  started.push(made);
  await made.deliverer.start();
  return made;
}

async function ended({ deliverer, rows }: TestDeliverer, url: string): Promise<string> {
  const recordingId = await startRecording(db, rows, { url });
  await endOf(db, rows, recordingId);
  deliverer.kick();
  return recordingId;
}

/** Lets ten minutes pass again and again, for the schedule and for what the storage may take, until it is so. */
async function passUntil(done: () => Promise<boolean>): Promise<void> {
  while (!(await done())) {
    clock.advanceMs(600_000);
    storageClock.advanceMs(600_000);
    await sleep(systemClock, 5);
  }
}

/** Until the next try is due. */
async function passToNextTry({ deliverer }: TestDeliverer, recordingId: string): Promise<void> {
  const { nextAttemptAt } = await rowOf(db, recordingId);
  clock.advanceMs(Math.max(0, nextAttemptAt!.getTime() - clock.unixMs()) + 1000);
  deliverer.kick();
}

describe('the job', () => {
  test('a storage that answers 503, stalls and cuts for a day: every file arrives once, whole, and then is told', async () => {
    const faults = [() => failure(503, 'SlowDown'), () => 'stall' as const, () => 'cut' as const];
    let isDown = true;
    let asked = 0;
    bucket.fault = () => (isDown ? faults[asked++ % faults.length]!() : undefined);
    const control = await start({ bytesOf: () => longBytes });
    const ids = await Promise.all([1, 2, 3].map((each) => ended(control, `s3://bucket/day/${each}.wav`)));
    const downMs = clock.unixMs();
    await passUntil(async () => {
      const states = await Promise.all(ids.map(async (id) => (await rowOf(db, id)).state));
      return clock.unixMs() - downMs > 24 * hourMs && states.every((state) => state === 'failing');
    });
    for (const id of ids) {
      const row = await inState(db, id, 'failing');
      assert.ok(row.attempts > 7, String(row.attempts));
      assert.deepEqual(await toldOf(db, id), ['failing']);
    }
    assert.equal(bucket.files.size, 0);
    isDown = false;
    // A try may have begun before, and stall.
    bucket.server.cutAll();
    await until('all of them', async () => {
      const rows = await Promise.all(ids.map((id) => rowOf(db, id)));
      const next = rows.find(({ state }) => state === 'failing')?.nextAttemptAt;
      if (next) clock.advanceMs(Math.max(0, next.getTime() - clock.unixMs()) + 1000);
      control.deliverer.kick();
      return rows.every(({ state }) => state === 'delivered') || undefined;
    });
    for (const [index, id] of ids.entries()) {
      const row = await inState(db, id, 'delivered');
      const file = bucket.files.get(`bucket/day/${index + 1}.wav`);
      assert.ok(file);
      assert.ok(file.content.equals(contentOf(id, longBytes)));
      assert.deepEqual(
        [file.writes, row.bytes, row.errorCode, row.sealedCredentials],
        [1, longBytes, null, null],
      );
      assert.deepEqual(await toldOf(db, id), ['failing', 'delivered']);
    }
    assert.equal(bucket.uploads.size, 0);
  });

  test('a process killed between two parts: the next goes on from what is on record', async () => {
    const { rows } = testDeliverer(db, systemClock, { settings: {} });
    const recordingId = await startRecording(db, rows, { url: 's3://bucket/killed.wav' });
    await endOf(db, rows, recordingId);
    const { promise: reached, resolve } = Promise.withResolvers<void>();
    bucket.fault = ({ path }) => {
      if (!path.includes('partNumber=2')) return undefined;
      resolve();
      return 'stall';
    };
    const program = fileURLToPath(new URL('./test-doomed-deliverer.ts', import.meta.url));
    const address = JSON.stringify({ ...database.postgres!.address });
    const child = spawn(process.execPath, [program, address, bucket.url.href, String(longBytes)], {
      stdio: 'inherit',
    });
    await reached;
    child.kill('SIGKILL');
    await once(child, 'exit');
    bucket.fault = () => undefined;
    const before = await rowOf(db, recordingId);
    assert.equal(before.state, 'uploading');
    clock = new FakeClock({ unixMs: systemClock.unixMs() });
    await start({ bytesOf: () => longBytes });
    const row = await inState(db, recordingId, 'delivered');
    assert.equal(row.attempts, 2);
    assert.ok(bucket.files.get('bucket/killed.wav')?.content.equals(contentOf(recordingId, longBytes)));
    assert.deepEqual(
      [...bucket.partWrites],
      [
        [1, 1],
        [2, 1],
        [3, 1],
      ],
    );
    assert.deepEqual(await toldOf(db, recordingId), ['delivered']);
  });

  test('what the storage refuses is tried for days, then dead; its credentials are kept for 30 days', async () => {
    bucket.fault = () => failure(403, 'AccessDenied', 'no, AKIDEXAMPLE with wJalrXUtnFEMI');
    const control = await start({ retryDays: 5 });
    const recordingId = await ended(control, 's3://bucket/refused.wav');
    await inState(db, recordingId, 'failing');
    const endedMs = clock.unixMs();
    for (;;) {
      const { attempts, state } = await inState(db, recordingId, 'failing', 'dead');
      if (state === 'dead') break;
      await passToNextTry(control, recordingId);
      await until('the next try', async () => {
        const row = await inState(db, recordingId, 'failing', 'dead');
        return row.attempts > attempts || undefined;
      });
    }
    const dead = await rowOf(db, recordingId);
    assert.ok(clock.unixMs() - endedMs > 4.9 * 24 * hourMs);
    assert.equal(dead.errorCode, 'DESTINATION_REFUSED');
    assert.match(
      dead.errorMessage!,
      /^s3:\/\/bucket\/refused\.wav: AccessDenied, 403: no, .* with \[redacted\]$/,
    );
    assert.deepEqual(await toldOf(db, recordingId), ['failing', 'dead']);
    assert.notEqual(dead.sealedCredentials, null);

    clock.advanceMs(31 * 24 * hourMs);
    control.deliverer.kick();
    await until('the credentials to go', async () =>
      (await rowOf(db, recordingId)).sealedCredentials === null ? true : undefined,
    );
    assert.equal((await rowOf(db, recordingId)).state, 'dead');
    const { deliverAgain } = control.deliveries;
    await assert.rejects(deliverAgain.call(control.deliveries, dead.deliveryId), {
      code: 'DESTINATION_INVALID',
    });
    bucket.fault = () => undefined;
    await control.deliveries.deliverAgain(dead.deliveryId, { credentials });
    const { attempts } = await inState(db, recordingId, 'delivered');
    assert.equal(attempts, 1);
    assert.deepEqual(await toldOf(db, recordingId), ['failing', 'dead', 'delivered']);
  });

  test('a storage that stalls keeps half of the slots at most', async () => {
    bucket.fault = ({ path }) => (path.startsWith('/slow') ? 'stall' : undefined);
    const control = await start({ concurrency: 4 });
    const slow = [];
    for (let each = 0; each < 6; each++) slow.push(await ended(control, `s3://slow/${each}.wav`));
    const quick = await ended(control, 's3://quick/file.wav');
    await inState(db, quick, 'delivered');
    const states = await Promise.all(slow.map(async (id) => (await rowOf(db, id)).state));
    assert.deepEqual(states.sort(), ['uploading', 'uploading', 'waiting', 'waiting', 'waiting', 'waiting']);
  });

  test('parts of a file that is made in another way now are not gone on with', async () => {
    let puts = 0;
    bucket.fault = ({ path }) =>
      path.includes('partNumber') && ++puts === 2 ? failure(503, 'SlowDown') : undefined;
    const before = await start({ bytesOf: () => longBytes, rendering: 'old' });
    const recordingId = await ended(before, 's3://bucket/made.wav');
    await inState(db, recordingId, 'failing');
    await before.deliverer.stop();
    assert.equal(bucket.uploads.size, 1);
    const next = await start({ bytesOf: () => longBytes, rendering: 'new' });
    await passToNextTry(next, recordingId);
    await inState(db, recordingId, 'delivered');
    assert.deepEqual([...bucket.partWrites.values()], [2, 1, 1]);
    assert.equal(bucket.uploads.size, 0);
  });
});

describe('names', () => {
  test('twenty recordings of one call that start in one second have twenty names', async () => {
    const { rows } = testDeliverer(db, clock, { settings: {} });
    const wish = { url: 's3://bucket/', nameId: 'call' };
    const ids = await Promise.all(Array.from({ length: 20 }, () => startRecording(db, rows, wish)));
    const keys = await Promise.all(ids.map(async (id) => (await rowOf(db, id)).key));
    assert.equal(new Set(keys).size, 20);
    assert.ok(keys.includes('20261121183000_app_call.wav'));
    assert.ok(keys.includes('20261121183000_app_call~20.wav'));
  });

  test('a URL that cannot be read is on record, and told when the recording has ended', async () => {
    const control = await start();
    const recordingId = await startRecording(db, control.rows, { url: 'ftp://host/file.wav' });
    const row = await rowOf(db, recordingId);
    assert.deepEqual(
      [row.state, row.errorCode, row.sealedCredentials],
      ['dead', 'DESTINATION_INVALID', null],
    );
    await endOf(db, control.rows, recordingId);
    await control.deliveries.deliverAgain(row.deliveryId, { url: 's3://bucket/', credentials });
    const delivered = await inState(db, recordingId, 'delivered');
    assert.match(delivered.destination, /^s3:\/\/bucket\/20261121183000_app_\w+\.wav$/);
  });
});

describe('deliver again', () => {
  test('what was delivered goes to another place, by new credentials', async () => {
    const control = await start();
    const recordingId = await ended(control, 's3://bucket/first.wav');
    const { deliveryId } = await inState(db, recordingId, 'delivered');
    await control.deliveries.deliverAgain(deliveryId, { url: 's3://other/second.wav', credentials });
    await until('the second file', () => bucket.files.get('other/second.wav'));
    const row = await inState(db, recordingId, 'delivered');
    assert.deepEqual([row.destination, row.sealedCredentials], ['s3://other/second.wav', null]);
    assert.deepEqual(await toldOf(db, recordingId), ['delivered', 'delivered']);
  });

  test('not what is on its way, unknown, or abandoned', async () => {
    const control = await start();
    const { deliveries } = control;
    const running = await startRecording(db, control.rows, { url: 's3://bucket/running.wav' });
    const { deliveryId } = await rowOf(db, running);
    await assert.rejects(deliveries.deliverAgain(deliveryId), { code: 'CONFLICT' });
    await assert.rejects(deliveries.deliverAgain('0123456789abcdef'), { code: 'NOT_FOUND' });
    await endOf(db, control.rows, running, { reason: 'no_input' });
    await assert.rejects(deliveries.deliverAgain(deliveryId, { credentials }), { code: 'CONFLICT' });
  });
});

describe('abandoned', () => {
  for (const [reason, fileSamples] of [
    ['no_input', 8000],
    ['error', 0],
    ['stopped', 0],
    ['consent_withdrawn', 8000],
  ] as const)
    test(`${reason} with ${fileSamples} samples: nothing is delivered or told`, async () => {
      const control = await start();
      const recordingId = await startRecording(db, control.rows, { url: 's3://bucket/nothing.wav' });
      await endOf(db, control.rows, recordingId, { reason, fileSamples });
      const row = await rowOf(db, recordingId);
      assert.deepEqual([row.state, row.sealedCredentials, row.nextAttemptAt], ['abandoned', null, null]);
      assert.deepEqual(await toldOf(db, recordingId), []);
    });

  test('erased while it is sent: the upload is aborted before the erasure goes on, and nothing is told', async () => {
    const { promise: reached, resolve } = Promise.withResolvers<void>();
    bucket.fault = ({ path }) => {
      if (!path.includes('partNumber=2')) return undefined;
      resolve();
      return 'stall';
    };
    const control = await start({ bytesOf: () => longBytes });
    const recordingId = await ended(control, 's3://bucket/erased.wav');
    await reached;
    assert.equal(bucket.uploads.size, 1);
    await control.deliveries.abandon(recordingId);
    assert.equal(bucket.uploads.size, 0);
    assert.equal(bucket.files.get('bucket/erased.wav'), undefined);
    const row = await rowOf(db, recordingId);
    assert.deepEqual([row.state, row.upload, row.sealedCredentials], ['abandoned', null, null]);
    assert.deepEqual(await toldOf(db, recordingId), []);
  });

  test('erased while the storage is away: it is cleaned up when that is back', async () => {
    let isAway = false;
    let puts = 0;
    bucket.fault = ({ path }) => {
      if (path.includes('partNumber') && ++puts === 2) isAway = true;
      return isAway ? failure(503, 'SlowDown') : undefined;
    };
    const control = await start({ bytesOf: () => longBytes });
    const recordingId = await ended(control, 's3://bucket/away.wav');
    await inState(db, recordingId, 'failing');
    await control.deliveries.abandon(recordingId);
    assert.notEqual((await rowOf(db, recordingId)).sealedCredentials, null);
    assert.equal(bucket.uploads.size, 1);
    isAway = false;
    await until('the upload to go', () => {
      clock.advanceMs(60_000);
      return bucket.uploads.size === 0 || undefined;
    });
    await until('the credentials to go', async () =>
      (await rowOf(db, recordingId)).sealedCredentials === null ? true : undefined,
    );
  });

  test('what an own store has of it goes with it, unless another recording is there now', async () => {
    const ownStore = new OwnStore(join(directory, 'store'), masterKey);
    const control = await start({ ownStore, settings: {} });
    const first = await ended(control, 'sdrive://same.wav');
    await inState(db, first, 'delivered');
    clock.advanceMs(1000);
    const second = await ended(control, 'sdrive://same.wav');
    await inState(db, second, 'delivered');
    await control.deliveries.abandon(first);
    assert.equal(await ownStore.bytesOf('same.wav'), 1000);
    await control.deliveries.abandon(second);
    assert.equal(await ownStore.bytesOf('same.wav'), undefined);
  });

  test('unfinished files that a crash left unknown go at the next start, others stay', async () => {
    const folder = join(directory, 'files');
    mkdirSync(folder);
    const { rows } = testDeliverer(db, clock, { settings: {} });
    const recordingId = await startRecording(db, rows, { url: `file://${folder}/mine.wav` });
    await endOf(db, rows, recordingId);
    await db.updateTable('deliveries').set({ state: 'uploading', nextAttemptAt: null }).execute();
    const lost = join(folder, '.callreel-0123456789abcdef01234567.partial');
    writeFileSync(lost, 'half a file');
    writeFileSync(join(folder, '.callreel-of-somebody-else.partial'), 'not ours');
    await start({ settings: { fileDirectories: [folder] } });
    await inState(db, recordingId, 'delivered');
    assert.deepEqual(readdirSync(folder).sort(), ['.callreel-of-somebody-else.partial', 'mine.wav']);
  });
});
