import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  type Azurite,
  azureAccount,
  azureAccountKey,
  startAzurite,
} from '../../src/delivery/destinations/test-azurite.ts';
import { failure, TestBucket } from '../../src/delivery/test-bucket.ts';
import { CommandLine } from './command-line.ts';
import { drivenDeliveryTime } from './driven-delivery-time.ts';
import { eventually } from './eventually.ts';
import type { ErrorBody, Page } from './http-client.ts';
import { annHz, type Party, RecorderStage, type RecordingBody, sayTone } from './recorder-stage.ts';
import { TemporaryDataDir } from './temporary-data-dir.ts';

/** What the native API and the command line give of destinations and deliveries, on live calls and real storages. */
interface DeliveryBody {
  delivery_id: string;
  recording_id: string;
  url: string;
  destination: string;
  state: string;
  attempts: number;
  next_attempt_at: string | null;
  error: { code: string; message: string } | null;
  bytes: number | null;
  delivered_at: string | null;
}

interface TrialBody {
  objects: { url: string; way: string }[];
  bytes: number;
  content_type: string;
  warning: string | null;
}

const s3Credentials = 'AKIAIOSFODNN7EXAMPLE:wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY:eu-central-1';
const wrongAzureKey = 'd3JvbmctYXp1cmUta2V5LW9mLW5vYm9keS1hdC1hbGw=';
const container = 'test-container';
const azureUrl = (path: string) => `azure://${azureAccount}/${container}/${path}`;
const daySeconds = 24 * 3600;

const files = new TemporaryDataDir();
const time = drivenDeliveryTime();
let bucket: TestBucket;
let azurite: Azurite;
let stage: RecorderStage;
let ann: Party;

before(async () => {
  bucket = await TestBucket.start();
  azurite = await startAzurite();
  await azurite.service.getContainerClient(container).create();
  stage = await RecorderStage.open({
    deliveryTime: time,
    settings: {
      CALLREEL_DELIVERY_ENDPOINTS_S3: bucket.url.href,
      CALLREEL_DELIVERY_ENDPOINTS_AZURE: azurite.url.href,
      CALLREEL_DELIVERY_FILE_DIRECTORIES: files.path,
    },
  });
  stage.scene.handle('/status', () => ({}));
  ann = await stage.join('deliveries');
});

after(async () => {
  await stage[Symbol.asyncDispose]();
  await azurite.stop();
  await bucket.server.stop();
  files[Symbol.dispose]();
});

const get = async <Body>(path: string): Promise<Body> => {
  const { status, body } = await stage.http.get<Body>(path);
  assert.equal(status, 200, JSON.stringify(body));
  return body;
};

const list = (query = '') => get<Page<DeliveryBody>>(`/v1/deliveries${query}`);

async function deliveryOf({ recording_id: id }: RecordingBody): Promise<DeliveryBody> {
  const { results } = await get<Page<DeliveryBody>>(`/v1/recordings/${id}/deliveries`);
  assert.equal(results.length, 1);
  return results[0]!;
}

function inState(recording: RecordingBody, state: string): Promise<DeliveryBody> {
  return eventually(`${recording.recording_id} ${state}`, async () => {
    const delivery = await deliveryOf(recording);
    return delivery.state === state ? delivery : undefined;
  });
}

/** A recording of a tone, that has ended. */
async function recorded(options: object): Promise<RecordingBody> {
  const recording = await stage.record(ann, { status_url: stage.scene.app.url('/status'), ...options });
  await sayTone(ann, annHz, 200);
  return await stage.stop(recording);
}

async function linked({ url }: RecordingBody): Promise<Buffer> {
  return Buffer.from(await stage.http.bytes(url));
}

const blobOf = (path: string) => azurite.service.getContainerClient(container).getBlobClient(path);

const told = ({ recording_id: id }: RecordingBody) =>
  stage.scene.app
    .requests('/status')
    .map(({ body }) => body as { type: string; state: string; recording_id: string; delivery_id?: string })
    .filter(({ recording_id }) => recording_id === id);

describe('a recording with a destination', () => {
  test('its file is there byte for byte, under its name, and that is told after its end', async () => {
    const destination = { url: azureUrl('my-recording.mp3'), credentials: azureAccountKey };
    const recording = await recorded({ format: 'mp3', destination });
    const delivery = await inState(recording, 'delivered');
    assert.equal(delivery.destination, destination.url);
    assert.deepEqual([delivery.attempts, delivery.error, delivery.next_attempt_at], [1, null, null]);
    const blob = blobOf('my-recording.mp3');
    assert.ok((await blob.downloadToBuffer()).equals(await linked(recording)));
    assert.equal((await blob.getProperties()).contentType, 'audio/mpeg');
    assert.equal(delivery.bytes, (await linked(recording)).length);
    await eventually('the event', () => told(recording).find(({ state }) => state === 'delivered'));
    assert.deepEqual(
      told(recording).map(({ type, state }) => `${type} ${state}`),
      ['recording.changed recording', 'recording.changed finished', 'recording.delivery delivered'],
    );
    assert.equal(told(recording).at(-1)?.delivery_id, delivery.delivery_id);
  });

  test('a folder gets a name made of the time, the account and the call; a conference that of the conference', async () => {
    const { accountId } = stage.scene.server.callreel.credentials;
    const destination = { url: 's3://bucket/calls/', credentials: s3Credentials };
    const call = await inState(await recorded({ destination, stereo: true }), 'delivered');
    assert.match(
      call.destination,
      new RegExp(`^s3://bucket/calls/\\d{14}_${accountId}_${ann.connectionId}\\.wav$`),
    );
    const { status, body } = await stage.post<RecordingBody>('/v1/conferences/deliveries/recordings', {
      format: 'mp3',
      destination,
    });
    assert.equal(status, 201, JSON.stringify(body));
    await sayTone(ann, annHz, 200);
    await stage.post(`/v1/conferences/deliveries/recordings/${body.recording_id}/stop`);
    const room = await inState(body, 'delivered');
    assert.match(room.destination, new RegExp(`^s3://bucket/calls/\\d{14}_${accountId}_deliveries\\.mp3$`));
    for (const { destination: url, bytes } of [call, room])
      assert.equal(bucket.files.get(url.slice('s3://'.length))?.content.length, bytes);
  });

  test('a wrong secret is told in the words of the storage; corrected, the file arrives', async () => {
    const destination = { url: azureUrl('mended.wav'), credentials: wrongAzureKey };
    const recording = await recorded({ destination });
    const failing = await inState(recording, 'failing');
    assert.equal(failing.error?.code, 'DESTINATION_REFUSED');
    assert.match(failing.error?.message ?? '', /^azure:\/\/my-account.*mended\.wav: .*, 403: /);
    assert.notEqual(failing.next_attempt_at, null);
    assert.equal((await list('?state=failing')).results[0]?.delivery_id, failing.delivery_id);
    const path = `/v1/deliveries/${failing.delivery_id}/deliver`;
    const { status, body } = await stage.post<DeliveryBody>(path, { credentials: azureAccountKey });
    assert.equal(status, 202, JSON.stringify(body));
    assert.equal(body.error, null);
    const delivered = await inState(recording, 'delivered');
    assert.ok((await blobOf('mended.wav').downloadToBuffer()).equals(await linked(recording)));
    assert.equal(delivered.attempts, 1);
    await eventually('the event', () => told(recording).find(({ state }) => state === 'delivered'));
    assert.deepEqual(
      told(recording).map(({ state }) => state),
      ['recording', 'finished', 'failing', 'delivered'],
    );
  });

  test('given up after days it is on the list of the dead; delivered elsewhere it is not', async () => {
    bucket.fault = () => failure(503, 'SlowDown');
    const destination = { url: 's3://bucket/dead.wav', credentials: s3Credentials };
    const recording = await recorded({ destination });
    await inState(recording, 'failing');
    await time.forward(6 * daySeconds);
    const dead = await inState(recording, 'dead');
    assert.deepEqual([dead.error?.code, dead.next_attempt_at], ['DESTINATION_UNAVAILABLE', null]);
    assert.match(dead.error?.message ?? '', /dead\.wav: SlowDown, 503: SlowDown it is/);
    const { results } = await list('?state=dead&limit=1');
    assert.deepEqual(
      results.map(({ recording_id }) => recording_id),
      [recording.recording_id],
    );
    const path = `/v1/deliveries/${dead.delivery_id}/deliver`;
    const again = { url: azureUrl('elsewhere/'), credentials: azureAccountKey };
    assert.equal((await stage.post(path, again)).status, 202);
    const { destination: elsewhere } = await inState(recording, 'delivered');
    assert.match(elsewhere, /^azure:\/\/my-account\/test-container\/elsewhere\/\d{14}_.*\.wav$/);
    assert.ok(
      (await blobOf(elsewhere.slice(azureUrl('').length)).downloadToBuffer()).equals(await linked(recording)),
    );
    assert.deepEqual((await list('?state=dead')).results, []);
    bucket.fault = () => undefined;
  });

  test('what is wrong with a destination is said before anything is recorded', async () => {
    const path = `/v1/connections/${ann.connectionId}/recordings`;
    for (const [destination, code, where] of [
      [{ url: 's3://bucket/x.wav' }, 'DESTINATION_INVALID', 'body.destination.credentials'],
      [
        { url: 's3://bucket/x.wav', credentials: 'KEY' },
        'DESTINATION_INVALID',
        'body.destination.credentials',
      ],
      [{ url: 'ftp://host/x.wav' }, 'DESTINATION_INVALID', 'body.destination.url'],
      [{ url: 'file:///etc/passwd' }, 'DESTINATION_FORBIDDEN', 'body.destination.url'],
      [{ url: 's3://bucket/x.wav', key: 'x' }, 'REQUEST_INVALID', 'body.destination.key'],
      [{ credentials: s3Credentials }, 'REQUEST_INVALID', 'body.destination.url'],
    ] as const) {
      const { status, body } = await stage.post<ErrorBody>(path, { destination });
      assert.deepEqual([body.error?.code, body.error?.where], [code, where], JSON.stringify(body));
      assert.ok(status === 400 || status === 403);
    }
    const { body } = await stage.http.json<ErrorBody>('POST', '/v1/deliveries/none/deliver', {});
    assert.equal(body.error.code, 'NOT_FOUND');
  });

  test('pages of deliveries are pages as all others', async () => {
    const all = await list();
    const first = await list('?limit=2');
    assert.deepEqual(first.results, all.results.slice(0, 2));
    const second = await list(`?limit=2&cursor=${first.next}`);
    assert.deepEqual(second.results, all.results.slice(2, 4));
    assert.equal(first.previous, null);
  });
});

describe('a destination that is tried out', () => {
  const tried = (body: object) => stage.post<TrialBody & ErrorBody>('/v1/destinations/test', body);

  test('real files are written in both ways, and stay', async () => {
    const destination = { url: azureUrl('tried/'), credentials: azureAccountKey };
    const { status, body } = await tried({ destination, format: 'mp3' });
    assert.equal(status, 200, JSON.stringify(body));
    assert.deepEqual(
      body.objects.map(({ way }) => way),
      ['whole', 'parts'],
    );
    for (const { url } of body.objects) {
      assert.match(url, /tried\/\d{14}_[^_]+_test-[0-9a-f]{16}(~2)?\.mp3$/);
      const blob = blobOf(url.slice(azureUrl('').length));
      assert.equal((await blob.downloadToBuffer()).length, body.bytes);
      assert.equal((await blob.getProperties()).contentType, 'audio/mpeg');
    }
    assert.deepEqual([body.content_type, body.warning], ['audio/mpeg', null]);
  });

  test('a file that the URL names is left alone', async () => {
    writeFileSync(join(files.path, 'kept.mp3'), 'kept');
    const destination = { url: `file://${files.path}/kept.mp3` };
    const { body } = await tried({ destination });
    assert.match(body.warning ?? '', /kept\.mp3/);
    const names = readdirSync(files.path);
    assert.equal(names.length, 3);
    assert.ok(names.includes('kept.mp3'));
  });

  test('what is wrong is the error, in the words of the storage', async () => {
    for (const [destination, code, message] of [
      [
        { url: azureUrl('x/'), credentials: wrongAzureKey },
        'DESTINATION_REFUSED',
        /AuthorizationFailure|AuthenticationFailed/,
      ],
      [
        { url: `azure://${azureAccount}/no-container/`, credentials: azureAccountKey },
        'DESTINATION_REFUSED',
        /ContainerNotFound, 404: /,
      ],
      [{ url: 's3://bucket/', credentials: 'KEY' }, 'DESTINATION_INVALID', /AccessKey:SecretKey:Region/],
      [{ url: 'file:///etc/' }, 'DESTINATION_FORBIDDEN', /directory/],
    ] as const) {
      const { body } = await tried({ destination });
      assert.equal(body.error.code, code, JSON.stringify(body));
      assert.match(body.error.message, message);
      assert.ok(!JSON.stringify(body).includes(wrongAzureKey));
    }
  });
});

describe('on the command line', () => {
  const line = (settings: Record<string, string> = {}) =>
    new CommandLine(files.path, { CALLREEL_DATA_DIR: stage.scene.server.dataDir, ...settings });

  test('destinations are tried out with credentials from a file, or from the environment', async () => {
    writeFileSync(join(files.path, 'key'), `${azureAccountKey}\n`);
    const ok = await line().run('destinations', 'test', azureUrl('cli/'), '--credentials-file', 'key');
    assert.equal(ok.code, 0, ok.stderr);
    assert.match(
      ok.stdout,
      /^written as a whole: azure:.*\nwritten in parts: azure:.*\n\d+ bytes of audio\/wav/,
    );
    const wrong = await line({ DESTINATION_CREDENTIALS: wrongAzureKey }).run(
      ...['destinations', 'test', azureUrl('cli/')],
    );
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /^callreel: DESTINATION_REFUSED: azure:.*403/);
  });

  test('a delivery that fails is listed, and retried with the right credentials', async () => {
    const destination = { url: azureUrl('retried.wav'), credentials: wrongAzureKey };
    const recording = await recorded({ destination });
    const { delivery_id: id } = await inState(recording, 'failing');
    const listed = await line().run('deliveries', 'list', '--state', 'failing');
    assert.match(listed.stdout, new RegExp(`${id} .* failing .*retried\\.wav .*DESTINATION_REFUSED`));
    const [row] = await line().json<DeliveryBody[]>(
      'deliveries',
      'list',
      '--recording',
      recording.recording_id,
    );
    assert.equal(row?.delivery_id, id);
    const retried = await line({ DESTINATION_CREDENTIALS: azureAccountKey }).run('deliveries', 'retry', id);
    assert.equal(retried.code, 0, retried.stderr);
    await inState(recording, 'delivered');
  });
});

test('no answer of the API says a credential', async () => {
  const everything = JSON.stringify([
    await list('?limit=200'),
    await get('/v1/recordings?limit=200'),
    await get('/v1/events?limit=200'),
    await get(`/v1/calls/${ann.connectionId}`).catch(() => undefined),
  ]);
  for (const secret of [...s3Credentials.split(':').slice(0, 2), azureAccountKey, wrongAzureKey])
    assert.ok(!everything.includes(secret), secret);
});
