import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refusedInvite } from './refused-invite.ts';

function answer(status: string, method: string, ...more: string[]): Uint8Array {
  const lines = [
    `SIP/2.0 ${status}`,
    'Call-ID: a@b',
    `CSeq: 7 ${method}`,
    ...more,
    'Content-Length: 0',
    '',
    '',
  ];
  return Buffer.from(lines.join('\r\n'));
}

test('a 503 to an INVITE has its call, and when to come again', () => {
  const refused = refusedInvite(answer('503 Service Unavailable', 'INVITE', 'Retry-After: 10'));
  assert.deepEqual(refused, { callId: 'a@b', retryAfterSeconds: 10 });
});

test('one that does not say when is told apart', () => {
  assert.deepEqual(refusedInvite(answer('503 Service Unavailable', 'INVITE')), {
    callId: 'a@b',
    retryAfterSeconds: undefined,
  });
});

test('nothing else is a refused INVITE', () => {
  assert.equal(refusedInvite(answer('200 OK', 'INVITE', 'Retry-After: 10')), undefined);
  assert.equal(refusedInvite(answer('503 Service Unavailable', 'OPTIONS', 'Retry-After: 10')), undefined);
  assert.equal(refusedInvite(Buffer.from('INVITE sip:a@b SIP/2.0\r\n\r\n')), undefined);
});
