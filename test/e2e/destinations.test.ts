import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join as joinPath } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { pino } from 'pino';
import { type DeliveryWish, sealedWish } from '../../src/call/delivery-wish.ts';
import type { Recording } from '../../src/call/recording.ts';
import type { Callreel } from '../../src/callreel.ts';
import type { Delivery, DeliveryState } from '../../src/database/schema.ts';
import {
  type Azurite,
  azureAccount,
  azureAccountKey,
  startAzurite,
} from '../../src/delivery/destinations/test-azurite.ts';
import { failure, TestBucket } from '../../src/delivery/test-bucket.ts';
import { Secret } from '../../src/secret.ts';
import { TestServer } from '../../src/testkit/server.ts';
import { partyTonesHz } from '../../src/testkit/tone.ts';
import { DirectoryRows } from './directory-rows.ts';
import { eventually } from './eventually.ts';
import { type Party, sayTone } from './recorder-stage.ts';
import { Audience, calledNumber } from './scene.ts';
import { TemporaryDataDir } from './temporary-data-dir.ts';

/** `RecordingWishes.delivery` on live calls: the finished file is at its destination, as its link gives it. */
const [annHz] = partyTonesHz;
const s3Credentials = 'AKIDEXAMPLE:wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY:eu-central-1';
const wrongKey = 'd3JvbmctYXp1cmUta2V5LW9mLW5vYm9keS1hdC1hbGw=';
const lines: string[] = [];

interface DeliveryBody {
  type: string;
  recording_id: string;
  state: string;
  destination: string;
  attempts: number;
  error: { code: string; message: string } | null;
}

suite('destinations', () => {
  const folder = new TemporaryDataDir();
  const files = new TemporaryDataDir();
  let bucket: TestBucket;
  let azurite: Azurite;
  let audience: Audience;
  let server: TestServer;
  let callreel: Callreel;
  let rows: DirectoryRows;

  before(async () => {
    bucket = await TestBucket.start();
    azurite = await startAzurite();
    await azurite.service.getContainerClient('recordings').create();
    audience = await Audience.create();
    audience.app.on('/status', () => ({}));
    server = await TestServer.start({
      dataDir: folder.path,
      numbers: audience.numbers,
      settings: {
        CALLREEL_DELIVERY_ENDPOINTS_S3: bucket.url.href,
        CALLREEL_DELIVERY_ENDPOINTS_AZURE: azurite.url.href,
        CALLREEL_DELIVERY_FILE_DIRECTORIES: files.path,
      },
      log: pino({ level: 'trace' }, { write: (line) => void lines.push(line) }),
    });
    callreel = server.callreel;
    rows = new DirectoryRows(folder.path);
  });

  after(async () => {
    await rows.close();
    await audience[Symbol.asyncDispose]();
    await server.stop();
    await azurite.stop();
    await bucket.server.stop();
    folder[Symbol.dispose]();
    files[Symbol.dispose]();
  });

  let conferences = 0;

  async function join(): Promise<Party> {
    const call = await audience.call(server.sipUri(calledNumber), [audience.join(`room ${++conferences}`)]);
    const connectionId = await eventually('the call', async () => {
      const { conferences: all } = await server.api<{
        conferences: { name: string; participants: { connection_id: string }[] }[];
      }>('/v1/conferences');
      return all.find(({ name }) => name === `room ${conferences}`)?.participants[0]?.connection_id;
    });
    return { call, connectionId };
  }

  function record(
    { connectionId }: Party,
    wish: Partial<DeliveryWish> & { url: string },
    credentials?: string,
  ): Recording {
    const { format = 'wav', stereo = false } = wish;
    const whole = { applicationKey: 'app', nameId: connectionId, ...wish, format, stereo };
    const delivery = sealedWish(whole, credentials ? new Secret(credentials) : undefined, callreel.seal);
    const statusUrl = audience.app.url('/status');
    return callreel.calls.recordCall(connectionId, { statusUrl, format, stereo, delivery });
  }

  async function deliveryOf({ recordingId }: Recording): Promise<Delivery> {
    const { rows: found } = await callreel.deliveries.list(callreel.credentials.accountId, {
      limit: 2,
      filter: { recordingId },
    });
    assert.equal(found.length, 1);
    return found[0]!;
  }

  function inState(recording: Recording, state: DeliveryState): Promise<Delivery> {
    return eventually(`${recording.recordingId} ${state}`, async () => {
      const row = await deliveryOf(recording);
      return row.state === state ? row : undefined;
    });
  }

  const eventsOf = ({ recordingId }: Recording): DeliveryBody[] =>
    audience.app
      .requests('/status')
      .map(({ body }) => body as DeliveryBody)
      .filter(({ recording_id }) => recording_id === recordingId);

  function told(recording: Recording, state: string): Promise<DeliveryBody> {
    return eventually(`${recording.recordingId} told ${state}`, () =>
      eventsOf(recording).find((event) => event.state === state),
    );
  }

  /** What its link gives. */
  async function linked({ recordingId }: Recording, query = ''): Promise<Buffer> {
    const { accountId, authToken } = callreel.credentials;
    const authorization = `Basic ${Buffer.from(`${accountId}:${authToken.reveal()}`).toString('base64')}`;
    const url = `${callreel.publicUrl}/v1/recordings/${recordingId}/download${query}`;
    const response = await fetch(url, { headers: { authorization } });
    assert.equal(response.status, 200);
    return Buffer.from(await response.arrayBuffer());
  }

  async function erase(recordingId: string): Promise<void> {
    const { accountId, authToken } = callreel.credentials;
    const authorization = `Basic ${Buffer.from(`${accountId}:${authToken.reveal()}`).toString('base64')}`;
    const url = `${callreel.publicUrl}/v1/recordings/${recordingId}`;
    const response = await fetch(url, { method: 'DELETE', headers: { authorization } });
    assert.ok(response.ok, String(response.status));
  }

  async function stopped(recording: Recording): Promise<Recording> {
    recording.stop();
    await recording.whenWritten;
    return recording;
  }

  test('each format, to each storage, is there byte for byte as its link gives it, and then is told', async () => {
    const ann = await join();
    const mp3 = record(ann, { url: 's3://bucket/folder/mine.mp3', format: 'mp3' }, s3Credentials);
    const stereo = record(ann, { url: 's3://bucket/folder/', stereo: true }, s3Credentials);
    const second = record(ann, { url: 's3://bucket/folder/', stereo: true }, s3Credentials);
    const azure = record(
      ann,
      { url: `azure://${azureAccount}/recordings/a b/x.mp4`, format: 'mp4' },
      azureAccountKey,
    );
    const own = record(ann, { url: 'sdrive://' });
    const file = record(ann, { url: `file://${files.path}/calls/` });
    await sayTone(ann, annHz);
    const all = [mp3, stereo, second, azure, own, file];
    for (const each of all) assert.equal((await deliveryOf(each)).state, 'waiting');
    for (const each of all) await stopped(each);
    for (const each of all) {
      const row = await inState(each, 'delivered');
      assert.deepEqual(
        [row.attempts, row.sealedCredentials, row.upload, row.errorCode],
        [1, null, null, null],
      );
      assert.equal((await told(each, 'delivered')).destination, row.destination);
      assert.deepEqual(
        eventsOf(each).map(({ type, state }) => `${type} ${state}`),
        ['recording.changed recording', 'recording.changed finished', 'recording.delivery delivered'],
      );
      assert.equal(row.bytes, (await linked(each)).length);
    }
    const stored = bucket.files.get('bucket/folder/mine.mp3');
    assert.ok(stored?.content.equals(await linked(mp3)));
    assert.equal(stored?.contentType, 'audio/mpeg');
    for (const each of [stereo, second]) {
      const { key } = await deliveryOf(each);
      assert.match(key, new RegExp(`^folder/\\d{14}_app_${ann.connectionId}(~2)?\\.wav$`));
      assert.ok(bucket.files.get(`bucket/${key}`)?.content.equals(await linked(each)), key);
    }
    assert.notEqual((await deliveryOf(stereo)).key, (await deliveryOf(second)).key);
    const blob = azurite.service.getContainerClient('recordings').getBlobClient('a b/x.mp4');
    assert.ok((await blob.downloadToBuffer()).equals(await linked(azure)));
    const directory = joinPath(files.path, 'calls');
    assert.deepEqual(readdirSync(directory), [(await deliveryOf(file)).key.slice(directory.length + 1)]);
    await ann.call.hangUp();
  });

  test('a wrong secret: the storage says so in row and event; with the right one it arrives', async () => {
    const ann = await join();
    const url = `azure://${azureAccount}/recordings/secret.wav`;
    const recording = record(ann, { url }, wrongKey);
    await sayTone(ann, annHz);
    await stopped(recording);
    const failing = await told(recording, 'failing');
    assert.equal(failing.error?.code, 'DESTINATION_REFUSED');
    assert.match(failing.error.message, /^azure:\/\/.*secret\.wav: AuthorizationFailure, 403: /);
    const row = await inState(recording, 'failing');
    assert.deepEqual([row.errorCode, row.errorMessage], [failing.error.code, failing.error.message]);
    const credentials = new Secret(azureAccountKey);
    await callreel.deliveries.deliverAgain(row.deliveryId, { credentials });
    await inState(recording, 'delivered');
    const blob = azurite.service.getContainerClient('recordings').getBlobClient('secret.wav');
    assert.ok((await blob.downloadToBuffer()).equals(await linked(recording)));
    await told(recording, 'delivered');
    assert.deepEqual(
      eventsOf(recording).map(({ state }) => state),
      ['recording', 'finished', 'failing', 'delivered'],
    );
    await ann.call.hangUp();
  });

  test('erased before it could be sent: nothing arrives, and our own store forgets what it has', async () => {
    bucket.fault = () => failure(503, 'SlowDown');
    const ann = await join();
    const unsent = record(ann, { url: 's3://bucket/erased.wav' }, s3Credentials);
    const own = record(ann, { url: 'sdrive://erased.wav' });
    await sayTone(ann, annHz);
    for (const each of [unsent, own]) await stopped(each);
    await inState(own, 'delivered');
    await told(unsent, 'failing');
    const stored = () => readdirSync(joinPath(folder.path, 'store')).length;
    const before = stored();
    for (const { recordingId } of [unsent, own]) await erase(recordingId);
    bucket.fault = () => undefined;
    assert.equal(stored(), before - 1);
    const row = await deliveryOf(unsent);
    assert.deepEqual([row.state, row.sealedCredentials], ['abandoned', null]);
    assert.equal(bucket.files.get('bucket/erased.wav'), undefined);
    await ann.call.hangUp();
  });

  test('nobody finds a credential in a row, a log line or a file of ours', async () => {
    const everything = `${await rows.everything()}\n${lines.join('\n')}`;
    for (const secret of [s3Credentials, ...s3Credentials.split(':').slice(0, 2), azureAccountKey, wrongKey])
      assert.ok(!everything.includes(secret), secret);
    assert.deepEqual(readdirSync(joinPath(folder.path, 'handed-credentials')), []);
  });
});
