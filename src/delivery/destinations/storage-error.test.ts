import assert from 'node:assert/strict';
import { test } from 'node:test';
import { storageError } from './storage-error.ts';

test('what a storage says becomes one bounded line without secrets', () => {
  const text = `a\r\n\u001b[31m b\u202e c top/secret ${'x'.repeat(10_000)}`;
  const { message, where } = storageError('s3://b/k', { status: 400, name: 'Odd', text }, ['top/secret', '']);
  assert.match(message, /^s3:\/\/b\/k: Odd, 400: a \[31m b c \[redacted\] x+…$/);
  assert.ok(message.length < 600);
  assert.equal(where, 's3://b/k');
});

test('the code says whether waiting helps', () => {
  const code = (failure: { status?: number; uploadLost?: boolean; lasting?: boolean }) =>
    storageError('s3://b/k', { text: '', ...failure }, []).code;
  for (const status of [408, 425, 429, 500, 502, 503, 504, 599, undefined])
    assert.equal(code({ status }), 'DESTINATION_UNAVAILABLE', `${status}`);
  for (const status of [301, 400, 401, 403, 404, 409, 411, 501])
    assert.equal(code({ status }), 'DESTINATION_REFUSED', `${status}`);
  assert.equal(code({ lasting: true }), 'DESTINATION_REFUSED');
  assert.equal(code({ status: 404, uploadLost: true }), 'DESTINATION_UPLOAD_LOST');
});
