import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../../clock.ts';
import { Secret } from '../../secret.ts';
import { parseCredentials } from './destination-credentials.ts';
import { parseDestinationUrl } from './destination-url.ts';
import { keyAt } from './object-name.ts';
import { openDestination } from './open-destination.ts';
import { OwnStore } from './own-store.ts';
import { startStorageServer } from './test-storage-server.ts';

const signal = new AbortController().signal;
const content = Buffer.from('a recording');

test('every scheme leads to its own endpoint, bucket and name', async () => {
  const server = await startStorageServer();
  const endpoint = { url: server.url };
  const azureKey = randomBytes(64).toString('base64');
  for (const [url, credentials, path] of [
    ['s3://my-bucket/folder/', 'KEY:SECRET:eu-central-1', '/my-bucket/folder/made.mp3'],
    ['gs://my-bucket/my.mp3', 'KEY:SECRET', '/my-bucket/my.mp3'],
    ['azure://my-account/my-container', azureKey, '/my-account/my-container/made.mp3'],
  ] as const) {
    server.answer = () => ({ status: 201, headers: { etag: '"1"' } });
    const place = parseDestinationUrl(url);
    const opened = await openDestination(place, parseCredentials(place.scheme, new Secret(credentials)), {
      clock: systemClock,
      endpoints: { [place.scheme]: endpoint },
    });
    const object = { key: keyAt(place, 'made.mp3'), contentType: 'audio/mpeg' };
    await opened.put(object, content, signal);
    opened.close();
    const request = server.requests.at(-1);
    assert.equal(request?.path.replace(/\?.*$/, ''), path);
    assert.deepEqual(request?.body, content);
    assert.equal(opened.urlOf(object.key), `${url.replace(/\/?(my\.mp3)?$/, '')}/${path.split('/').pop()}`);
  }
  await server.stop();
});

test('files and our own store, where there is one', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'callreel-destination-'));
  const none = parseCredentials('file', undefined);
  const file = parseDestinationUrl(`file://${directory}/a/my.wav`);
  const object = { key: keyAt(file, 'made.wav'), contentType: 'audio/wav' };
  const settings = { clock: systemClock, fileDirectories: [directory] };
  const opened = await openDestination(file, none, settings);
  await opened.put(object, content, signal);
  assert.deepEqual(await readFile(join(directory, 'a/my.wav')), content);
  const nowhere = await openDestination(file, none, { clock: systemClock });
  await assert.rejects(nowhere.put(object, content, signal), { code: 'DESTINATION_FORBIDDEN' });

  const own = parseDestinationUrl('sdrive://my.wav');
  const ownStore = new OwnStore(directory, new Secret(randomBytes(32)));
  assert.equal(await openDestination(own, none, { clock: systemClock, ownStore }), ownStore);
  await assert.rejects(openDestination(own, none, { clock: systemClock }), { code: 'DESTINATION_FORBIDDEN' });
  await rm(directory, { recursive: true });
});

test('credentials of another scheme are refused', async () => {
  const ofGoogle = parseCredentials('gs', new Secret('KEY:SECRET'));
  const azure = parseDestinationUrl('azure://my-account/my-container');
  await assert.rejects(openDestination(azure, ofGoogle, { clock: systemClock }), {
    code: 'DESTINATION_INVALID',
    where: 'credentials',
  });
});
