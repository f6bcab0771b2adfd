import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { FakeClock, sleep, systemClock } from '../clock.ts';
import { beginErasure } from '../database/recordings.ts';
import type { Db } from '../database/schema.ts';
import { setStoredFileRemoved } from '../database/stored-files.ts';
import { startTemporaryDatabase, type TemporaryDatabase } from '../database/temporary-database.ts';
import { deadCredentialsMs } from '../delivery/delivery-schedule.ts';
import { OwnStore } from '../delivery/destinations/own-store.ts';
import { failure, TestBucket } from '../delivery/test-bucket.ts';
import { accountId, inState, masterKey, rowOf, toldOf, until } from '../delivery/test-deliverer.ts';
import { CallreelError, type ErrorCode } from '../errors.ts';
import { TestSpool } from '../spool/test-spool.ts';
import { throwOnUnlistedTransitions } from '../state-machine.ts';
import { RenderPool } from '../worker/render-pool.ts';
import {
  endTranscribed,
  startTranscribed,
  TestEngine,
  type TestTranscriber,
  type TestTranscriberOptions,
  type TestTranscriptWish,
  testTranscriber,
  transcriptIn,
  transcriptOf,
} from './test-transcriber.ts';

throwOnUnlistedTransitions();

const hourMs = 3_600_000;
const spool = new TestSpool();
const { spoolDirectory: spoolDir, masterKey: spoolKey } = spool;
const renders = new RenderPool({ threads: 1, spoolDir, masterKey: spoolKey });
let database: TemporaryDatabase;
let db: Db;
let bucket: TestBucket;
let clock = new FakeClock();
let engine = new TestEngine();
const started: TestTranscriber[] = [];

before(async () => {
  database = await startTemporaryDatabase();
  db = database.db;
  bucket = await TestBucket.start();
});

after(async () => {
  await database.close();
  await bucket.server.stop();
  await renders.close();
  spool.remove();
});

afterEach(async () => {
  bucket.fault = () => undefined;
  for (const each of started.splice(0)) await stop(each);
  await db.deleteFrom('transcripts').execute();
  await db.deleteFrom('deliveries').execute();
  bucket.files.clear();
  clock = new FakeClock();
  engine = new TestEngine();
});

async function start(options: Partial<TestTranscriberOptions> = {}): Promise<TestTranscriber> {
  const settings = { endpoints: { s3: { url: bucket.url } } };
  const made = testTranscriber({
    ...{ db, clock, spool, renders, settings, engine: async () => engine },
    ...options,
  });
  started.push(made);
  await made.delivering.deliverer.start();
  await made.transcriber.start();
  return made;
}

async function stop({ transcriber, delivering }: TestTranscriber): Promise<void> {
  await transcriber.stop();
  await delivering.deliverer.stop();
}

async function ended(control: TestTranscriber, wish: TestTranscriptWish = {}): Promise<string> {
  const recordingId = await startTranscribed({ db, spool }, control, { locale: 'en-US', ...wish });
  await endTranscribed(db, control, recordingId);
  return recordingId;
}

/** Lets the time of the next try come, and it end. @returns after how many milliseconds it came */
async function nextTry(control: TestTranscriber, recordingId: string): Promise<number> {
  const { nextAttemptAt, attempts } = await transcriptIn(db, control, recordingId, 'failing');
  const waitMs = nextAttemptAt!.getTime() - clock.unixMs();
  clock.advanceMs(waitMs);
  control.transcriber.kick();
  await until('the next try', async () => {
    const row = await transcriptOf(db, recordingId);
    return (row.attempts > attempts && row.state !== 'running') || undefined;
  });
  return waitMs;
}

const coded = (code: ErrorCode) => new CallreelError(code, `it says ${code}`);

/** Never answers; tells when it was asked, and when it was broken off. */
function deafEngine(): { asked: Promise<void>; aborted: Promise<Error> } {
  const { promise: asked, resolve } = Promise.withResolvers<void>();
  const { promise: aborted, resolve: abort } = Promise.withResolvers<Error>();
  engine.answer = (_, signal) => {
    resolve();
    return new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        abort(signal.reason);
        reject(signal.reason);
      });
    });
  };
  return { asked, aborted };
}

describe('what is made', () => {
  test('each party by itself; without a destination the text is all', async () => {
    const control = await start();
    let count = 0;
    engine.answer = () => ['hello', 'good morning'][count++]!;
    const row = await transcriptIn(db, control, await ended(control), 'done');
    assert.deepEqual(engine.heardSamples, [1600, 1600]);
    assert.deepEqual(
      [row.text, row.attempts, row.destination, row.nextAttemptAt, row.errorCode],
      ['hello\ngood morning', 1, null, null, null],
    );
    assert.deepEqual(await toldOf(db, row.recordingId), ['done']);
  });

  test('its file follows that of the recording, however long that takes, with the same credentials', async () => {
    const control = await start();
    bucket.fault = () => failure(503, 'SlowDown');
    const recordingId = await ended(control, { url: 's3://bucket/calls/one.mp3' });
    await inState(db, recordingId, 'failing');
    await until('the text', async () => (await transcriptOf(db, recordingId)).text ?? undefined);
    control.transcriber.kick();
    await sleep(systemClock, 50);
    assert.deepEqual(await toldOf(db, recordingId), ['failing']);
    const { state, attempts } = await transcriptOf(db, recordingId);
    assert.deepEqual([state, attempts], ['waiting', 0]);

    bucket.fault = ({ path }) => (path.includes('transcript') ? failure(503, 'SlowDown') : undefined);
    clock.advanceMs(hourMs);
    control.delivering.deliverer.kick();
    await inState(db, recordingId, 'delivered');
    control.transcriber.kick();
    await transcriptIn(db, control, recordingId, 'failing');
    assert.notEqual((await rowOf(db, recordingId)).sealedCredentials, null);

    bucket.fault = () => undefined;
    await nextTry(control, recordingId);
    const row = await transcriptOf(db, recordingId);
    const { content } = bucket.files.get('bucket/calls/one-transcript.json')!;
    assert.deepEqual(
      [row.state, row.destination, row.bytes === null ? null : Number(row.bytes)],
      ['done', 's3://bucket/calls/one-transcript.json', content.length],
    );
    assert.equal(JSON.parse(content.toString()).text, 'hello hello');
    assert.deepEqual(await toldOf(db, recordingId), ['failing', 'delivered', 'done']);
    assert.equal((await rowOf(db, recordingId)).sealedCredentials, null);
  });

  test('one at a time, the longest waiting first; files do not wait for those that are made', async () => {
    const first = await start({ concurrency: 1 });
    const kept = await ended(first, { url: 's3://bucket/kept.mp3' });
    await transcriptIn(db, first, kept, 'done');
    bucket.fault = ({ path }) => (path.includes('transcript') ? 'stall' : undefined);
    const stalled = await ended(first, { url: 's3://bucket/stalled.mp3' });
    await until('the stalled one', async () => {
      first.transcriber.kick();
      const { state, text } = await transcriptOf(db, stalled);
      return (state === 'running' && text !== null) || undefined;
    });
    const { asked } = deafEngine();
    const ids = [await ended(first)];
    await asked;
    for (let more = 0; more < 2; more++) {
      clock.advanceMs(10);
      ids.push(await ended(first));
    }
    const states = await Promise.all(ids.map(async (id) => (await transcriptOf(db, id)).state));
    assert.deepEqual(states, ['running', 'waiting', 'waiting']);
    engine.answer = () => 'next';
    await first.transcripts.erase(ids[0]!);
    const last = await transcriptIn(db, first, ids[2]!, 'done');
    assert.equal((await transcriptOf(db, ids[1]!)).state, 'done');
    assert.equal(last.text, 'next\nnext');
  });
});

describe('what fails', () => {
  test('what may pass is tried by the schedule, for days; then it is told; credentials go 30 days later', async () => {
    const failures: unknown[] = [
      coded('TRANSCRIPTION_UNAVAILABLE'),
      coded('TRANSCRIPTION_ENGINE_LOST'),
      coded('RENDER_FAILED'),
      new Error('unheard of'),
    ];
    let asked = 0;
    engine.answer = () => {
      throw failures[asked++ % failures.length];
    };
    const control = await start({ retryDays: 1 });
    const recordingId = await ended(control, { url: 's3://bucket/late.mp3' });
    await inState(db, recordingId, 'delivered');
    const endedMs = clock.unixMs();
    const waits: number[] = [];
    const codes: (string | null)[] = [];
    for (;;) {
      const row = await transcriptIn(db, control, recordingId, 'failing', 'dead');
      codes.push(row.errorCode);
      if (row.state === 'dead') break;
      waits.push((await nextTry(control, recordingId)) / 1000);
    }
    assert.deepEqual(codes.slice(0, 4), [
      'TRANSCRIPTION_UNAVAILABLE',
      'TRANSCRIPTION_ENGINE_LOST',
      'RENDER_FAILED',
      'INTERNAL',
    ]);
    assert.deepEqual(waits.slice(0, 9), [5, 15, 60, 300, 900, 1800, 3600, 7200, 7200]);
    const waitedMs = clock.unixMs() - endedMs;
    assert.ok(waitedMs > 21 * hourMs && waitedMs <= 24 * hourMs, String(waitedMs));
    assert.deepEqual(await toldOf(db, recordingId), ['delivered', 'dead']);

    assert.notEqual((await rowOf(db, recordingId)).sealedCredentials, null);
    clock.advanceMs(deadCredentialsMs);
    control.transcriber.kick();
    await until('the credentials to go', async () =>
      (await rowOf(db, recordingId)).sealedCredentials === null ? true : undefined,
    );
    const dead = await transcriptOf(db, recordingId);
    assert.deepEqual([dead.state, dead.nextAttemptAt], ['dead', null]);
    assert.deepEqual(await toldOf(db, recordingId), ['delivered', 'dead']);
  });

  test('what another try does not change is given up at once; the recording is delivered', async () => {
    const control = await start();
    for (const code of [
      'TRANSCRIPTION_LOCALE_UNSUPPORTED',
      'TRANSCRIPTION_REFUSED',
      'TRANSCRIPTION_MODEL_BROKEN',
      'SPOOL_CORRUPT',
    ] as const) {
      engine.answer = () => {
        throw coded(code);
      };
      const recordingId = await ended(control, { url: `s3://bucket/${code}.mp3` });
      const row = await transcriptIn(db, control, recordingId, 'dead');
      assert.deepEqual([row.errorCode, row.errorMessage, row.attempts], [code, `it says ${code}`, 1]);
      await inState(db, recordingId, 'delivered');
      assert.deepEqual((await toldOf(db, recordingId)).sort(), ['dead', 'delivered']);
    }
  });

  test('what no database keeps holds nobody up: a reason is made one it keeps, a text is given up with the reason', async () => {
    const control = await start();
    engine.answer = () => {
      throw new CallreelError('TRANSCRIPTION_REFUSED', 'it says \0 and \ud800');
    };
    const refused = await transcriptIn(db, control, await ended(control), 'dead');
    assert.equal(refused.errorMessage, 'it says \ufffd and \ufffd');
    // What is searched has at most 1 MB: 133,000 words of two letters are more.
    const letters = Array.from({ length: 365 }, (_, at) => String.fromCodePoint(0x4e00 + at));
    engine.answer = () => letters.flatMap((one) => letters.map((other) => one + other)).join(' ');
    const tooMuch = await transcriptIn(db, control, await ended(control), 'dead');
    assert.deepEqual([tooMuch.errorCode, tooMuch.text, tooMuch.attempts], ['INTERNAL', null, 1]);
    assert.match(tooMuch.errorMessage!, /too long for tsvector/);
    engine.answer = () => 'next';
    await transcriptIn(db, control, await ended(control), 'done');
  });

  test('an engine that cannot be made is asked for again where it may be mended', async () => {
    const failures = [coded('TRANSCRIPTION_UNAVAILABLE'), coded('CONFIG_INVALID')];
    const control = await start({
      engine: async () => {
        const error = failures.shift();
        if (error) throw error;
        return engine;
      },
    });
    const recordingId = await ended(control);
    await transcriptIn(db, control, recordingId, 'failing');
    await nextTry(control, recordingId);
    assert.equal((await transcriptOf(db, recordingId)).state, 'dead');
    await control.transcripts.transcribe({ accountId, recordingId });
    await transcriptIn(db, control, recordingId, 'done');
  });

  test('with a destination that cannot be read there is the text, and no file', async () => {
    const control = await start();
    const recordingId = await ended(control, { url: 'ftp://host/file.mp3' });
    const row = await transcriptIn(db, control, recordingId, 'dead');
    assert.deepEqual([row.errorCode, row.text], ['DESTINATION_INVALID', 'hello\nhello']);
    assert.deepEqual(await toldOf(db, recordingId), ['dead']);
  });

  test('a recording that cannot be delivered does not keep its transcript from being', async () => {
    bucket.fault = ({ path }) => (path.includes('transcript') ? undefined : failure(403, 'AccessDenied'));
    const control = await start();
    const recordingId = await ended(control, { url: 's3://bucket/refused.mp3' });
    await until('the text', async () => (await transcriptOf(db, recordingId)).text ?? undefined);
    await db
      .updateTable('deliveries')
      .set({ state: 'dead' })
      .where('recordingId', '=', recordingId)
      .execute();
    control.transcriber.kick();
    await transcriptIn(db, control, recordingId, 'done');
    assert.ok(bucket.files.has('bucket/refused-transcript.json'));
  });
});

describe('a restart', () => {
  test('what was being made is begun anew; what was being delivered is delivered', async () => {
    const before = await start();
    const { asked, aborted } = deafEngine();
    const made = await ended(before, { url: 's3://bucket/restarted.mp3' });
    await asked;
    await stop(before);
    assert.match((await aborted).message, /stops/);
    assert.equal((await transcriptOf(db, made)).state, 'running');

    engine = new TestEngine();
    bucket.fault = ({ path }) => (path.includes('transcript') ? 'stall' : undefined);
    const next = await start();
    await until('its text', async () => {
      next.transcriber.kick();
      const { state, text } = await transcriptOf(db, made);
      return (text !== null && state === 'running') || undefined;
    });
    await stop(next);
    assert.equal((await transcriptOf(db, made)).state, 'running');

    bucket.fault = () => undefined;
    engine = new TestEngine();
    const last = await start();
    const row = await transcriptIn(db, last, made, 'done');
    assert.deepEqual([row.attempts, engine.heardSamples], [2, []]);
    assert.deepEqual(await toldOf(db, made), ['delivered', 'done']);
  });

  test('a database that does not answer does not lose what was made', async () => {
    let failures = 0;
    engine.answer = () => {
      failures = 2;
      return 'kept';
    };
    const control = await start({
      outbox: {
        transaction: async (change) => {
          if (failures-- > 0) throw new Error('no database');
          return await db.transaction().execute((trx) => change(trx, undefined as never));
        },
      },
    });
    const recordingId = await ended(control);
    await until('the text', async () => {
      clock.advanceMs(1000);
      return (await transcriptOf(db, recordingId)).text ?? undefined;
    });
    assert.deepEqual([engine.heardSamples.length, (await transcriptOf(db, recordingId)).attempts], [2, 1]);
  });
});

describe('erased', () => {
  test('while it is made: the engine is stopped, nothing is kept or told', async () => {
    const control = await start();
    const { asked, aborted } = deafEngine();
    const recordingId = await ended(control, { url: 's3://bucket/erased.mp3' });
    await asked;
    await control.transcripts.erase(recordingId);
    assert.equal(((await aborted) as CallreelError).code, 'CONFLICT');
    const row = await transcriptOf(db, recordingId);
    assert.deepEqual(
      [row.state, row.transcript, row.text, row.nextAttemptAt],
      ['abandoned', null, null, null],
    );
    await inState(db, recordingId, 'delivered');
    assert.deepEqual(await toldOf(db, recordingId), ['delivered']);
    assert.equal((await rowOf(db, recordingId)).sealedCredentials, null);
  });

  test('while it is delivered, and afterwards: text and file are gone', async () => {
    const control = await start();
    bucket.fault = ({ path }) => (path.includes('transcript') ? 'stall' : undefined);
    const sent = await ended(control, { url: 's3://bucket/sent.mp3' });
    await until('its text', async () => {
      control.transcriber.kick();
      const { state, text } = await transcriptOf(db, sent);
      return (text !== null && state === 'running') || undefined;
    });
    await control.transcripts.erase(sent);
    assert.deepEqual(await toldOf(db, sent), ['delivered']);
    assert.equal((await transcriptOf(db, sent)).text, null);

    await stop(control);
    const directory = join(spool.dataDirectory, 'store');
    mkdirSync(directory);
    const ownStore = new OwnStore(directory, masterKey);
    const own = await start({ ownStore, settings: {} });
    const first = await ended(own, { url: 'sdrive://same.mp3' });
    const { key } = await transcriptIn(db, own, first, 'done');
    clock.advanceMs(1000);
    const second = await ended(own, { url: 'sdrive://same.mp3' });
    await transcriptIn(db, own, second, 'done');
    await own.transcripts.erase(first);
    assert.ok(await ownStore.bytesOf(key!), 'another has been written over it');
    await own.transcripts.erase(second);
    assert.equal(await ownStore.bytesOf(key!), undefined);
    await own.transcripts.erase('0123456789abcdef');
  });

  test('removed from our own store before its transcript is there: the text is, no file and no event', async () => {
    const directory = join(spool.dataDirectory, 'store of removals');
    mkdirSync(directory);
    const ownStore = new OwnStore(directory, masterKey);
    const control = await start({ ownStore, settings: {} });
    const { promise: heard, resolve: hear } = Promise.withResolvers<string>();
    engine.answer = () => heard;
    const recordingId = await ended(control, { url: 'sdrive://removed.mp3' });
    const { deliveryId } = await inState(db, recordingId, 'delivered');
    await setStoredFileRemoved(db, deliveryId);
    hear('text');
    const row = await transcriptIn(db, control, recordingId, 'done');
    assert.deepEqual([row.text, row.destination, row.deliveredAt], ['text\ntext', null, null]);
    assert.equal(await ownStore.bytesOf('removed-transcript.json'), undefined);
    assert.deepEqual(await toldOf(db, recordingId), ['delivered']);
  });

  test('between two tries: the next finds it', async () => {
    const control = await start();
    engine.answer = () => {
      throw coded('TRANSCRIPTION_UNAVAILABLE');
    };
    const recordingId = await ended(control);
    await transcriptIn(db, control, recordingId, 'failing');
    await beginErasure(db, accountId, recordingId, new Date(clock.unixMs()));
    clock.advanceMs(hourMs);
    control.transcriber.kick();
    await transcriptIn(db, control, recordingId, 'abandoned');
    assert.deepEqual(await toldOf(db, recordingId), []);
  });

  test('or ended without anything to hear, or to give out: nothing is made or told', async () => {
    const control = await start();
    for (const [reason, fileSamples] of [
      ['no_input', 1600],
      ['no_consent', 1600],
      ['consent_withdrawn', 1600],
      ['error', 1600],
      ['stopped', 0],
    ] as const) {
      const recordingId = await startTranscribed({ db, spool }, control, { locale: 'en-US' });
      await endTranscribed(db, control, recordingId, { reason, fileSamples });
      const row = await transcriptOf(db, recordingId);
      assert.deepEqual([row.state, row.nextAttemptAt], ['abandoned', null], reason);
      assert.deepEqual(await toldOf(db, recordingId), []);
    }
    assert.deepEqual(engine.heardSamples, []);
  });
});
