import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { afterEach, beforeEach, test } from 'node:test';
import { FakeClock, systemClock } from '../../clock.ts';
import { CallreelError } from '../../errors.ts';
import { Secret } from '../../secret.ts';
import { S3Destination, type S3Options } from './s3.ts';
import { type StorageServer, startStorageServer } from './test-storage-server.ts';

const secret = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
const accessKeyId = 'AKIAIOSFODNN7EXAMPLE';
const signal = new AbortController().signal;
const object = { key: 'folder/a b+c.mp3', contentType: 'audio/mpeg' };
const content = Buffer.from('a recording');
let server: StorageServer;

beforeEach(async () => {
  server = await startStorageServer();
});
afterEach(() => server.stop());

function destination(options: Partial<S3Options> = {}): S3Destination {
  return new S3Destination({
    scheme: 's3',
    bucket: 'my-bucket',
    credentials: {
      accessKeyId,
      secretAccessKey: new Secret(secret),
      region: 'eu-central-1',
    },
    clock: systemClock,
    endpoint: { url: server.url },
    ...options,
  });
}

function xml(root: string, fields: Record<string, string>): string {
  const inner = Object.entries(fields).map(([name, value]) => `<${name}>${value}</${name}>`);
  return `<?xml version="1.0" encoding="UTF-8"?><${root}>${inner.join('')}</${root}>`;
}

test('a file is one signed PUT with its checksum, and nothing is asked before', async () => {
  const storage = destination({
    encryption: { algorithm: 'aws:kms', kmsKeyId: 'key-1' },
    tags: { team: 'a&b', kind: 'ü' },
  });
  await storage.put(object, content, signal);
  storage.close();
  assert.equal(server.requests.length, 1);
  const { method, path, headers, body } = server.requests[0]!;
  assert.equal(method, 'PUT');
  assert.equal(path.replace(/\?x-id=PutObject$/, ''), '/my-bucket/folder/a%20b%2Bc.mp3');
  assert.deepEqual(body, content);
  assert.equal(headers['content-type'], 'audio/mpeg');
  assert.equal(headers['content-md5'], createHash('md5').update(content).digest('base64'));
  assert.match(
    headers.authorization ?? '',
    /^AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE\/\d{8}\/eu-central-1\/s3\//,
  );
  assert.equal(headers['x-amz-server-side-encryption'], 'aws:kms');
  assert.equal(headers['x-amz-server-side-encryption-aws-kms-key-id'], 'key-1');
  assert.equal(headers['x-amz-tagging'], 'team=a%26b&kind=%C3%BC');
  assert.equal(headers['if-none-match'], undefined);
});

test("a region that is none of Amazon's is what is signed, for this storage alone", async () => {
  const credentials = { accessKeyId: 'KEY', secretAccessKey: new Secret(secret), region: 'aws_region' };
  for (const [options, region] of [
    [{ credentials }, 'aws_region'],
    [{ credentials: { ...credentials, region: 'us-east-1' } }, 'us-east-1'],
  ] as const) {
    const storage = destination(options);
    await storage.put(object, content, signal);
    storage.close();
    const { authorization = '' } = server.requests.at(-1)!.headers;
    assert.equal(/Credential=KEY\/\d{8}\/([^/]*)\/s3\//.exec(authorization)?.[1], region);
  }
});

test('parts need no more than the right to write', async () => {
  server.answer = ({ method, path }) => {
    if (method === 'PUT') return { status: 200, headers: { etag: `"${/partNumber=(\d)/.exec(path)?.[1]}"` } };
    if (path.includes('uploads'))
      return { status: 200, body: xml('InitiateMultipartUploadResult', { UploadId: 'up/1' }) };
    if (method === 'POST')
      return { status: 200, body: xml('CompleteMultipartUploadResult', { ETag: '"all"' }) };
    return method === 'DELETE' ? { status: 204 } : { status: 403 };
  };
  const storage = destination({ tags: { team: 'a' }, encryption: { algorithm: 'AES256' } });
  const uploadId = await storage.beginUpload(object, signal);
  assert.equal(uploadId, 'up/1');
  const upload = { ...object, uploadId };
  const second = await storage.putPart(upload, 2, Buffer.from('two'), signal);
  const first = await storage.putPart(upload, 1, Buffer.from('one'), signal);
  await storage.completeUpload(upload, [first, second], signal);
  await storage.abortUpload(upload, signal);
  storage.close();
  assert.deepEqual(
    server.requests.map(({ method }) => method),
    ['POST', 'PUT', 'PUT', 'POST', 'DELETE'],
  );
  const [begin, part, , complete] = server.requests;
  assert.equal(begin?.headers['x-amz-tagging'], 'team=a');
  assert.equal(begin?.headers['x-amz-server-side-encryption'], 'AES256');
  assert.equal(begin?.headers['content-type'], 'audio/mpeg');
  assert.match(part?.path ?? '', /uploadId=up%2F1/);
  assert.equal(part?.headers['content-md5'], createHash('md5').update('two').digest('base64'));
  assert.match(
    complete?.body.toString() ?? '',
    /<Part><ETag>&quot;1&quot;<\/ETag><PartNumber>1<\/PartNumber><\/Part><Part><ETag>&quot;2&quot;/,
  );
});

test("the storage's own words reach the user, and say whether waiting helps", async () => {
  const error = (Code: string, Message: string) => xml('Error', { Code, Message });
  const storage = destination();
  for (const [status, body, code, message] of [
    [403, error('AccessDenied', 'Access Denied'), 'REFUSED', 'AccessDenied, 403: Access Denied'],
    [404, error('NoSuchBucket', 'No\n such bucket'), 'REFUSED', 'NoSuchBucket, 404: No such bucket'],
    [503, error('SlowDown', 'Please reduce'), 'UNAVAILABLE', 'SlowDown, 503: Please reduce'],
    [500, error('InternalError', 'We erred'), 'UNAVAILABLE', 'InternalError, 500: We erred'],
    [501, error('NotImplemented', 'No tags'), 'REFUSED', 'NotImplemented, 501: No tags'],
    [429, error('TooManyRequests', 'Wait'), 'UNAVAILABLE', 'TooManyRequests, 429: Wait'],
    [403, error('Odd', `key is ${secret}`), 'REFUSED', 'Odd, 403: key is [redacted]'],
    [403, error('Odd', `no ${accessKeyId}`), 'REFUSED', 'Odd, 403: no [redacted]'],
    [301, error('PermanentRedirect', 'Use eu-west-1'), 'REFUSED', 'PermanentRedirect, 301: Use eu-west-1'],
  ] as const) {
    server.answer = () => ({ status, body });
    await assert.rejects(storage.put(object, content, signal), (thrown: CallreelError) => {
      assert.equal(thrown.code, `DESTINATION_${code}`);
      assert.equal(thrown.message, `s3://my-bucket/folder/a b+c.mp3: ${message}`);
      assert.equal(thrown.blame, 'destination');
      assert.equal(thrown.cause, undefined);
      return true;
    });
  }
  storage.close();
});

test('answers that no storage gives are failures', async () => {
  const storage = destination();
  const long = `<html>${'x'.repeat(100_000)}</html>`;
  for (const [answer, code] of [
    [{ status: 403, body: '<html>Forbidden by the proxy</html>' }, 'DESTINATION_REFUSED'],
    [{ status: 502, body: 'Bad Gateway' }, 'DESTINATION_UNAVAILABLE'],
    [{ status: 400, body: long }, 'DESTINATION_REFUSED'],
    [{ status: 307, headers: { location: 'http://127.0.0.1:1/' } }, 'DESTINATION_REFUSED'],
    ['cut', 'DESTINATION_UNAVAILABLE'],
  ] as const) {
    server.answer = () => answer;
    await assert.rejects(storage.put(object, content, signal), (thrown: CallreelError) => {
      assert.equal(thrown.code, code);
      if (answer !== 'cut')
        assert.equal(
          thrown.message,
          `s3://my-bucket/folder/a b+c.mp3: ${answer.status}: the answer has no error of a storage in it`,
        );
      return true;
    });
  }
  assert.equal(server.requests.length, 5);
  server.answer = () => ({ status: 200 });
  await assert.rejects(storage.beginUpload(object, signal), { code: 'DESTINATION_UNAVAILABLE' });
  storage.close();
});

test('an answer without an end is not waited for', async () => {
  const storage = destination();
  const halfOfTheLimit = 'x'.repeat(512 * 1024);
  for (const [status, code] of [
    [200, 'DESTINATION_UNAVAILABLE'],
    [400, 'DESTINATION_REFUSED'],
    [503, 'DESTINATION_UNAVAILABLE'],
  ] as const) {
    server.answer = () => ({ status, body: halfOfTheLimit.repeat(100) });
    await assert.rejects(storage.completeUpload({ ...object, uploadId: 'u' }, ['"1"'], signal), {
      code,
      message: /: aborted$/,
    });
  }
  server.answer = () => ({ status: 200, headers: { etag: '"1"' }, body: halfOfTheLimit });
  for (let time = 0; time < 5; time++) await storage.put(object, content, signal);
  storage.close();
});

test('an error that comes as 200 is one', async () => {
  const body = xml('Error', { Code: 'InternalError', Message: 'We erred' });
  server.answer = () => ({ status: 200, body });
  const storage = destination();
  await assert.rejects(storage.completeUpload({ ...object, uploadId: 'u' }, ['"1"'], signal), {
    code: 'DESTINATION_UNAVAILABLE',
    message: /We erred/,
  });
  storage.close();
});

test('an upload that the storage does not know is lost, and aborting it is done', async () => {
  const body = xml('Error', { Code: 'NoSuchUpload', Message: 'The specified upload does not exist.' });
  server.answer = () => ({ status: 404, body });
  const storage = destination();
  const upload = { ...object, uploadId: 'u' };
  await assert.rejects(storage.putPart(upload, 1, content, signal), { code: 'DESTINATION_UPLOAD_LOST' });
  await assert.rejects(storage.completeUpload(upload, ['"1"'], signal), {
    code: 'DESTINATION_UPLOAD_LOST',
  });
  await storage.abortUpload(upload, signal);
  storage.close();
});

test('a storage that stalls is given up, and so is one when we stop', async () => {
  const clock = new FakeClock();
  const storage = destination({ clock });
  server.answer = () => 'stall';
  const arrived = server.nextRequest();
  const stalled = assert.rejects(storage.put(object, content, signal), {
    code: 'DESTINATION_UNAVAILABLE',
    message: /no answer within 60 s/,
  });
  await arrived;
  clock.advanceMs(61_000);
  await stalled;
  assert.equal(clock.pendingTimers, 0);

  const abort = new AbortController();
  const arrivedAgain = server.nextRequest();
  const stopped = assert.rejects(storage.put(object, content, abort.signal), /stopping/);
  await arrivedAgain;
  abort.abort(new Error('stopping'));
  await stopped;
  storage.close();
});

test('an endpoint that a user named is kept out of our networks', async () => {
  const refusal = new CallreelError('CALLBACK_FORBIDDEN', '10.0.0.1 is not a public address');
  const guard = {
    checkHost(hostname: string) {
      if (/^[\d.]+$/.test(hostname)) throw refusal;
    },
    lookup: (_name: string, _options: unknown, done: (error: Error, addresses: []) => void) =>
      done(refusal, []),
  };
  assert.throws(() => destination({ endpoint: { url: server.url, guard } }), {
    code: 'DESTINATION_FORBIDDEN',
  });
  const url = new URL(server.url);
  url.hostname = 'storage.example';
  const storage = destination({ endpoint: { url, guard } });
  await assert.rejects(storage.put(object, content, signal), {
    code: 'DESTINATION_FORBIDDEN',
    message: '10.0.0.1 is not a public address',
  });
  assert.equal(server.requests.length, 0);
  storage.close();
});

test('an address where nobody listens is told of', async () => {
  const storage = destination({ endpoint: { url: new URL('http://127.0.0.1:1') } });
  await assert.rejects(storage.put(object, content, signal), {
    code: 'DESTINATION_UNAVAILABLE',
    message: /ECONNREFUSED/,
  });
  storage.close();
});
