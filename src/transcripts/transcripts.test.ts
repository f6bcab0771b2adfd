import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { FakeClock } from '../clock.ts';
import { beginErasure } from '../database/recordings.ts';
import type { Db } from '../database/schema.ts';
import { startTemporaryDatabase, type TemporaryDatabase } from '../database/temporary-database.ts';
import { deadCredentialsMs } from '../delivery/delivery-schedule.ts';
import { failure, TestBucket } from '../delivery/test-bucket.ts';
import { accountId, credentials, inState, rowOf, toldOf, until } from '../delivery/test-deliverer.ts';
import { CallreelError } from '../errors.ts';
import { TestSpool } from '../spool/test-spool.ts';
import { throwOnUnlistedTransitions } from '../state-machine.ts';
import { RenderPool } from '../worker/render-pool.ts';
import {
  endTranscribed,
  startTranscribed,
  TestEngine,
  type TestTranscriber,
  type TestTranscriptWish,
  testTranscriber,
  transcriptIn,
  transcriptOf,
} from './test-transcriber.ts';

throwOnUnlistedTransitions();

const spool = new TestSpool();
const renders = new RenderPool({ threads: 1, spoolDir: spool.spoolDirectory, masterKey: spool.masterKey });
const clock = new FakeClock();
const engine = new TestEngine();
let database: TemporaryDatabase;
let db: Db;
let bucket: TestBucket;
let control: TestTranscriber;

before(async () => {
  database = await startTemporaryDatabase();
  db = database.db;
  bucket = await TestBucket.start();
  const settings = { endpoints: { s3: { url: bucket.url } } };
  control = testTranscriber({ db, clock, spool, renders, settings, engine: async () => engine });
  await control.delivering.deliverer.start();
  await control.transcriber.start();
});

after(async () => {
  await control.transcriber.stop();
  await control.delivering.deliverer.stop();
  await database.close();
  await bucket.server.stop();
  await renders.close();
  spool.remove();
});

afterEach(() => {
  bucket.fault = () => undefined;
  engine.answer = () => 'hello';
});

async function ended(wish: TestTranscriptWish = { locale: 'en-US' }): Promise<string> {
  const recordingId = await startTranscribed({ db, spool }, control, wish);
  await endTranscribed(db, control, recordingId);
  return recordingId;
}

const again = (recordingId: string, wish = {}) =>
  control.transcripts.transcribe({ accountId, recordingId }, wish);
const unserved = () => {
  throw new CallreelError('TRANSCRIPTION_LOCALE_UNSUPPORTED', 'not served');
};

test('what was given up is made by an engine that can, in another locale if that is said, and told again', async () => {
  engine.answer = unserved;
  const recordingId = await ended();
  await transcriptIn(db, control, recordingId, 'dead');
  engine.answer = (locale) => `heard as ${locale}`;
  const begun = await again(recordingId, { locale: 'en-GB' });
  assert.deepEqual(
    [begun.state, begun.locale, begun.attempts, begun.errorCode],
    ['waiting', 'en-GB', 0, null],
  );
  const row = await transcriptIn(db, control, recordingId, 'done');
  assert.deepEqual([row.text, row.attempts], ['heard as en-GB\nheard as en-GB', 1]);
  assert.deepEqual(await toldOf(db, recordingId), ['dead', 'done']);

  engine.answer = () => 'by a better one';
  const anew = await again(recordingId);
  assert.deepEqual([anew.text, anew.transcript], [null, null]);
  const better = await transcriptIn(db, control, recordingId, 'done');
  assert.deepEqual([better.text, better.locale], ['by a better one\nby a better one', 'en-GB']);
});

test('of a recording that was not to be transcribed a locale is all it takes', async () => {
  const recordingId = await ended({});
  await assert.rejects(again(recordingId), { code: 'NOT_FOUND' });
  await again(recordingId, { locale: 'en-AU' });
  const { text, locale } = await transcriptIn(db, control, recordingId, 'done');
  assert.deepEqual([text, locale], ['hello\nhello', 'en-AU']);
});

test('where only the file failed, it is delivered; for another locale it is made anew', async () => {
  bucket.fault = ({ path }) => (path.includes('transcript') ? failure(503, 'SlowDown') : undefined);
  const recordingId = await ended({ locale: 'en-US', url: 's3://bucket/file.mp3' });
  await transcriptIn(db, control, recordingId, 'failing');
  const heard = engine.heardSamples.length;
  bucket.fault = () => undefined;
  await again(recordingId, { locale: 'en-US' });
  await transcriptIn(db, control, recordingId, 'done');
  assert.equal(engine.heardSamples.length, heard);
  assert.equal(bucket.files.get('bucket/file-transcript.json')?.writes, 1);

  bucket.fault = ({ path }) => (path.includes('transcript') ? failure(503, 'SlowDown') : undefined);
  await again(recordingId, { credentials });
  await transcriptIn(db, control, recordingId, 'failing');
  bucket.fault = () => undefined;
  await again(recordingId, { locale: 'en-GB' });
  await transcriptIn(db, control, recordingId, 'done');
  assert.equal(engine.heardSamples.length, heard + 4);
});

test('credentials that are not kept any more are needed, and forgotten again', async () => {
  const recordingId = await ended({ locale: 'en-US', url: 's3://bucket/kept.mp3' });
  await transcriptIn(db, control, recordingId, 'done');
  await assert.rejects(again(recordingId), { code: 'DESTINATION_INVALID' });
  assert.equal((await transcriptOf(db, recordingId)).state, 'done', 'nothing was begun');
  await again(recordingId, { credentials });
  await transcriptIn(db, control, recordingId, 'done');
  assert.equal(bucket.files.get('bucket/kept-transcript.json')?.writes, 2);
  assert.equal((await rowOf(db, recordingId)).sealedCredentials, null);
});

test('credentials of a recording that was given up go with those of its transcript', async () => {
  bucket.fault = ({ path }) => (path.includes('given-up.mp3') ? failure(403, 'AccessDenied') : undefined);
  const recordingId = await ended({ url: 's3://bucket/given-up.mp3' });
  await inState(db, recordingId, 'failing');
  await assert.rejects(again(recordingId, { locale: 'en-US', credentials }), { code: 'CONFLICT' });
  await until('it to be given up', async () => {
    const { state, nextAttemptAt } = await rowOf(db, recordingId);
    if (state === 'dead') return true;
    if (nextAttemptAt) clock.advanceMs(Math.max(0, nextAttemptAt.getTime() - clock.unixMs()));
    control.delivering.deliverer.kick();
    return undefined;
  });
  clock.advanceMs(deadCredentialsMs);
  control.delivering.deliverer.kick();
  await until(
    'its credentials to go',
    async () => (await rowOf(db, recordingId)).sealedCredentials === null || undefined,
  );
  await again(recordingId, { locale: 'en-US', credentials });
  await transcriptIn(db, control, recordingId, 'done');
  assert.ok(bucket.files.has('bucket/given-up-transcript.json'));
  assert.equal((await rowOf(db, recordingId)).sealedCredentials, null);
});

test('not what is on its way, goes on, has nothing to hear, is erased, or unknown', async () => {
  const running = await startTranscribed({ db, spool }, control, {});
  await assert.rejects(again(running, { locale: 'en-US' }), { code: 'CONFLICT' });
  await endTranscribed(db, control, running, { reason: 'no_input' });
  await assert.rejects(again(running, { locale: 'en-US' }), { code: 'CONFLICT' });
  await assert.rejects(transcriptOf(db, running));

  const silent = await startTranscribed({ db, spool }, control, { locale: 'en-US' });
  await assert.rejects(again(silent), { code: 'CONFLICT' });
  await endTranscribed(db, control, silent, { fileSamples: 0 });
  await assert.rejects(again(silent), { code: 'CONFLICT' });

  const { promise: asked, resolve } = Promise.withResolvers<void>();
  const { promise: answer, resolve: give } = Promise.withResolvers<string>();
  engine.answer = () => {
    resolve();
    return answer;
  };
  const busy = await ended();
  await asked;
  await assert.rejects(again(busy), { code: 'CONFLICT' });
  give('late');
  await transcriptIn(db, control, busy, 'done');
  await beginErasure(db, accountId, busy, new Date());
  await assert.rejects(again(busy), { code: 'RECORDING_ERASED' });
  await control.transcripts.erase(busy);
  await assert.rejects(again('0123456789abcdef'), { code: 'NOT_FOUND' });
});
