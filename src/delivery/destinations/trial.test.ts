import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { FakeClock, systemClock } from '../../clock.ts';
import { parseWav } from '../../container/wav-parser.ts';
import { Secret } from '../../secret.ts';
import { parseDestinationUrl } from './destination-url.ts';
import { FileDestination } from './file.ts';
import { S3Destination } from './s3.ts';
import { startStorageServer } from './test-storage-server.ts';
import { tryDestination } from './trial.ts';

const folder = mkdtempSync(join(tmpdir(), 'callreel-trial-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const named = { applicationKey: 'app', nameId: 'test', format: 'wav', stereo: false } as const;

const inBucket = (url: URL) =>
  new S3Destination({
    ...{ scheme: 's3', bucket: 'bucket', clock: systemClock, endpoint: { url } },
    credentials: { accessKeyId: 'KEY', secretAccessKey: new Secret('wJalrXUtnFEMI'), region: 'eu-north-1' },
  });

test('two real files are written beside the one that the URL names, by names of the usual pattern', async () => {
  writeFileSync(join(folder, 'call.wav'), 'kept');
  const place = parseDestinationUrl(`file://${folder}/call.wav`);
  const destination = new FileDestination([folder]);
  const clock = new FakeClock();
  const report = await tryDestination({ clock, destination, place, overwrite: false, ...named });
  assert.deepEqual(
    report.objects.map(({ url }) => decodeURIComponent(url.slice(url.lastIndexOf('/') + 1))),
    ['20260921141320_app_test.wav', '20260921141320_app_test~2.wav'],
  );
  assert.equal(report.warning, undefined);
  assert.equal(readFileSync(join(folder, 'call.wav'), 'utf8'), 'kept');
  const written = readdirSync(folder).filter((name) => name !== 'call.wav');
  for (const name of written) {
    const bytes = readFileSync(join(folder, name));
    assert.equal(bytes.length, report.bytes);
    assert.equal(parseWav(bytes).data.length, 16_000);
    rmSync(join(folder, name));
  }
  assert.equal(written.length, 2);
  assert.equal(clock.pendingTimers, 0);

  const over = await tryDestination({ clock, destination, place, overwrite: true, ...named });
  assert.deepEqual(new Set(over.objects.map(({ url }) => url)), new Set([`file://${folder}/call.wav`]));
  assert.equal(readFileSync(join(folder, 'call.wav')).length, report.bytes);
});

test('what the storage says is said, and what was begun is aborted', async () => {
  const server = await startStorageServer();
  const destination = inBucket(server.url);
  const place = parseDestinationUrl('s3://bucket/folder/');
  const body = '<Error><Code>AccessDenied</Code><Message>no parts for wJalrXUtnFEMI</Message></Error>';
  server.answer = ({ method, path }) => {
    if (path.includes('partNumber')) return { status: 403, body };
    const begun = '<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>';
    return { status: 200, headers: { etag: '"e"' }, body: method === 'POST' ? begun : '' };
  };
  await assert.rejects(
    tryDestination({ clock: systemClock, destination, place, overwrite: false, ...named }),
    {
      code: 'DESTINATION_REFUSED',
      message: /~2\.wav: AccessDenied, 403: no parts for \[redacted\]$/,
    },
  );
  const methods = server.requests.map(({ method }) => method);
  assert.deepEqual(methods, ['PUT', 'POST', 'PUT', 'DELETE']);
  destination.close();
  await server.stop();
});

test('a storage that does not answer is not waited for', async () => {
  const server = await startStorageServer();
  server.answer = () => 'stall';
  const destination = inBucket(server.url);
  const clock = new FakeClock();
  const place = parseDestinationUrl('s3://bucket');
  const arrived = server.nextRequest();
  const trial = tryDestination({ clock, destination, place, overwrite: false, ...named });
  await arrived;
  clock.advanceMs(30_000);
  await assert.rejects(trial, { code: 'DESTINATION_UNAVAILABLE', message: /no answer within 30 s/ });
  destination.close();
  await server.stop();
});
