import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { PgBoss } from 'pg-boss';
import { systemClock } from '../clock.ts';
import { deliveryOfRecording } from '../database/deliveries.ts';
import { startTemporaryDatabase, type TemporaryDatabase } from '../database/temporary-database.ts';
import { DeliveryRows } from '../delivery/delivery-rows.ts';
import { HandedCredentials } from '../delivery/handed-credentials.ts';
import { startJobs } from '../delivery/jobs.ts';
import { Outbox } from '../delivery/outbox.ts';
import { newId } from '../ids.ts';
import { silentLogger } from '../logger.ts';
import type { RecordingSummary } from '../recording/summary.ts';
import { Directory } from './directory.ts';

/** A crash lay between the spool's header and the rows: everything follows from the manifest, but the credentials. */
let database: TemporaryDatabase;
let boss: PgBoss;
let outbox: Outbox;
let directory: Directory;
let credentials: HandedCredentials;

before(async () => {
  database = await startTemporaryDatabase();
  boss = await startJobs(database.pool, silentLogger);
  const { db } = database;
  const shared = { db, clock: systemClock };
  outbox = await Outbox.start({
    ...{ ...shared, boss, logger: silentLogger, exclusive: true },
    send: async () => undefined,
  });
  credentials = new HandedCredentials(join(database.dataDir, 'handed'));
  const deliveries = { rows: new DeliveryRows('local', systemClock), credentials };
  directory = new Directory({
    ...{ ...shared, log: silentLogger, outbox, deliveries },
    ...{ spoolDir: '/spool', node: 'local', formatters: { native: (event) => ({ ...event }) } },
  });
});

after(async () => {
  await outbox.stop(0);
  await boss.stop({ graceful: false });
  await database.close();
});

function summary(url: string, reason: RecordingSummary['reason'] = 'stopped'): RecordingSummary {
  const delivery = { url, format: 'wav', stereo: false, applicationKey: 'app', nameId: 'call' };
  return {
    ...{ recordingId: newId(), conversationId: newId(), accountId: 'acc', rateHz: 8000 },
    ...{ startSample: 0, endSample: 8000, recordedSamples: 8000, fileSamples: 8000 },
    ...{ startedUnixMs: Date.parse('2026-11-21T18:30:00Z'), endedUnixMs: Date.parse('2026-11-21T18:30:01Z') },
    ...{ reason, isTrimmed: false, digit: undefined, sealedKey: 'sealed', tracks: [], notices: [] },
    meta: { kind: 'call', conferenceName: '', wishes: { statusUrl: 'http://receiver/', delivery } },
  };
}

const told = async ({ conversationId }: RecordingSummary) =>
  (
    await database.db
      .selectFrom('events')
      .select('payload')
      .where('conversationId', '=', conversationId)
      .orderBy('sequence')
      .execute()
  ).map(({ payload }) => {
    const { kind, state } = payload as { kind: string; state: string };
    return `${kind} ${state}`;
  });

test('the delivery has its row, its name and its credentials, and is due', async () => {
  const recording = summary('s3://bucket/');
  credentials.put(recording.recordingId, 'sealed credentials');
  await directory.recordingEnded(recording);
  await directory.recordingEnded(recording);
  const row = await deliveryOfRecording(database.db, recording.recordingId);
  assert.deepEqual(
    [row?.state, row?.key, row?.sealedCredentials, row?.nextAttemptAt !== null],
    ['waiting', '20261121183000_app_call.wav', 'sealed credentials', true],
  );
  assert.deepEqual(await told(recording), ['recording.changed finished']);
});

test('one without audio is abandoned', async () => {
  const recording = summary('s3://bucket/none.wav', 'no_input');
  await directory.recordingEnded(recording);
  const row = await deliveryOfRecording(database.db, recording.recordingId);
  assert.deepEqual([row?.state, row?.nextAttemptAt], ['abandoned', null]);
});

test('a URL that cannot be read is told after the end', async () => {
  const recording = summary('ftp://host/file.wav');
  await directory.recordingEnded(recording);
  assert.deepEqual(await told(recording), ['recording.changed finished', 'recording.delivery dead']);
});
