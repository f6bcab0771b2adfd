import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMessage } from './parser.ts';
import { buildResponse, serializeRequest } from './serializer.ts';
import { reasonPhrase } from './status.ts';
import { requestText } from './test-peers.ts';

test('a request reads back as written, lengths in bytes', () => {
  const headers = [
    { name: 'From', value: '"Zoë" <sip:zoe@a.example>;tag=1' },
    { name: 'To', value: '<sip:b@b.example>' },
    { name: 'Call-ID', value: 'c' },
    { name: 'CSeq', value: '1 MESSAGE' },
  ];
  const body = { contentType: 'text/plain', content: 'grüße' };
  const bytes = serializeRequest(
    { method: 'MESSAGE', uri: 'sip:b@b.example', headers, body },
    'SIP/2.0/UDP h;branch=b',
  );
  const result = parseMessage(bytes, 'stream');
  assert.ok(result.ok);
  assert.equal(result.message.from.displayName, 'Zoë');
  assert.equal(result.message.body.toString(), 'grüße');
  assert.equal(result.message.body.length, 7);
});

test('no value can begin another header', () => {
  const headers = [{ name: 'X-A\r\nX-B', value: 'a\r\nEvil: 1\r\n\r\nbody\0' }];
  const text = serializeRequest({ method: 'X', uri: 'sip:a\r\nEvil: 2', headers }, 'v').toString();
  assert.doesNotMatch(text, /^(Evil|X-B)/m);
  assert.equal(text.split('\r\n\r\n').length, 2);
});

test('a response copies what it must and nothing else, compact forms too', () => {
  const text = requestText('INVITE', 5060, {
    extra: ['Timestamp: 54', 'Subject: x', 'v: SIP/2.0/UDP second'],
  })
    .replace('To:', 't:')
    .replace('Call-ID:', 'i:');
  const result = parseMessage(Buffer.from(text));
  assert.ok(result.ok && result.message.kind === 'request');
  const ringing = buildResponse(result.message, 180, { toTag: 'us' }).bytes.toString();
  assert.deepEqual(
    ringing.split('\r\n').map((line) => line.split(/[ :]/)[0]),
    ['SIP/2.0', 'Via', 'From', 'To', 'Call-ID', 'CSeq', 'Via', 'Content-Length', '', ''],
  );
  assert.match(ringing, /^To: <sip:callee@127\.0\.0\.1>;tag=us\r$/m);
  assert.match(buildResponse(result.message, 100).bytes.toString(), /^Timestamp: 54\r$/m);
});

test('a tag that is there is kept, one in the URI is none', () => {
  const tags = [
    ['<sip:b@c>;tag=theirs', '<sip:b@c>;tag=theirs'],
    ['<sip:b@c;tag=uri>', '<sip:b@c;tag=uri>;tag=us'],
  ];
  for (const [to, expected] of tags) {
    const headers = [{ name: 'To', key: 'to', value: to ?? '' }];
    const request = {
      method: 'X',
      headers,
      via: { protocol: '', transport: '', host: '', port: 0, parameters: new Map() },
    };
    assert.ok(buildResponse(request, 400, { toTag: 'us' }).bytes.toString().includes(`To: ${expected}\r\n`));
  }
  assert.deepEqual(
    [reasonPhrase(486), reasonPhrase(499), reasonPhrase(700)],
    ['Busy Here', 'Request Failure', ''],
  );
});
