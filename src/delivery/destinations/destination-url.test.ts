import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CallreelError } from '../../errors.ts';
import { parseDestinationUrl } from './destination-url.ts';

test("Sinch's forms are read, and names are kept letter by letter", () => {
  assert.deepEqual(parseDestinationUrl('s3://my-s3-bucket'), {
    scheme: 's3',
    bucket: 'my-s3-bucket',
    path: '',
  });
  assert.deepEqual(parseDestinationUrl('s3://bucket_name/'), {
    scheme: 's3',
    bucket: 'bucket_name',
    path: '',
  });
  assert.deepEqual(parseDestinationUrl('s3://bucket_name/folder/'), {
    scheme: 's3',
    bucket: 'bucket_name',
    path: 'folder/',
  });
  assert.deepEqual(parseDestinationUrl('s3://sinch-storage/voice-recordings/my-recording.mp3'), {
    scheme: 's3',
    bucket: 'sinch-storage',
    path: 'voice-recordings/my-recording.mp3',
  });
  assert.deepEqual(parseDestinationUrl('GS://sinch-storage/A b%20+?#ü//x.mp3'), {
    scheme: 'gs',
    bucket: 'sinch-storage',
    path: 'A b%20+?#ü//x.mp3',
  });
  assert.deepEqual(parseDestinationUrl('azure://my-account/test-container/my-recording.mp3'), {
    scheme: 'azure',
    account: 'my-account',
    container: 'test-container',
    path: 'my-recording.mp3',
  });
  assert.deepEqual(parseDestinationUrl('azure://myaccount/$root'), {
    scheme: 'azure',
    account: 'myaccount',
    container: '$root',
    path: '',
  });
  assert.deepEqual(parseDestinationUrl('file:///srv/a%20b/x.wav'), {
    scheme: 'file',
    path: '/srv/a b/x.wav',
  });
});

test('our own store has no folders', () => {
  assert.deepEqual(parseDestinationUrl('sdrive://my-recording.mp3'), {
    scheme: 'sdrive',
    path: 'my-recording.mp3',
  });
  assert.deepEqual(parseDestinationUrl('sdrive://some/folder/my.wav'), { scheme: 'sdrive', path: 'my.wav' });
  assert.deepEqual(parseDestinationUrl('sdrive://'), { scheme: 'sdrive', path: '' });
  assert.deepEqual(parseDestinationUrl('sdrive://folder/'), { scheme: 'sdrive', path: '' });
});

test('what could lead elsewhere is refused', () => {
  for (const text of [
    '',
    's3:/bucket/x',
    's3://',
    's3:///x',
    's3://-bucket/x',
    's3://a..b/x',
    's3://user@host/x',
    's3://evil.example:80/x',
    's3://bucket/../other/x',
    's3://bucket/a/%2e%2E/x',
    's3://bucket/a/./x',
    's3://bucket/a\\..\\x',
    's3://bucket/x\r\nx-amz-acl: public-read',
    's3://bucket/\ud800',
    'azure://account',
    'azure://account/c',
    'azure://account.evil.example/container/x',
    'azure://Account/container/x',
    'http://bucket/x',
    'file://host/x',
    'file://x',
    'file:///a/..%2fb',
    'file:///a%00b',
    `s3://bucket/${'x'.repeat(3000)}`,
  ])
    assert.throws(
      () => parseDestinationUrl(text),
      { code: 'DESTINATION_INVALID', where: 'destinationUrl' },
      text,
    );
});

test('credentials in the URL are refused, and not quoted', () => {
  for (const scheme of ['s3', 'gs', 'azure'])
    assert.throws(
      () => parseDestinationUrl(`${scheme}://KEY:wJalrXUtnFEMI@bucket/folder/file.mp3`),
      ({ code, message }: CallreelError) =>
        code === 'DESTINATION_INVALID' && /credentials/.test(message) && !/wJalr/.test(message),
    );
  const place = parseDestinationUrl('s3://bucket/me@example.com/file.mp3');
  assert.equal(place.path, 'me@example.com/file.mp3');
});
