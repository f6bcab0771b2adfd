import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bodyStart, outlineMessage } from './message-outline.ts';

const request = (method: string, { branch = 'b1', toTag = '', cseq = '7', extra = '' } = {}) =>
  `${method} sip:a@b SIP/2.0\r\nv: SIP/2.0/UDP h;branch=z9hG4bK${branch}\r\nVia: SIP/2.0/UDP g;branch=z9hG4bKx\r\n` +
  `To: <sip:a@b>${toTag && `;tag=${toTag}`}\r\ni: call@1\r\nCSeq: ${cseq} ${method}\r\n${extra}\r\n`;
const response = (status: string, { branch = 'b1', extra = '' } = {}) =>
  `SIP/2.0 ${status}\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK${branch}\r\nTo: <sip:a@b>;tag=t\r\nCall-ID: call@1\r\n` +
  `CSeq: 7 INVITE\r\n${extra}\r\n`;
const keyOf = (text: string) => outlineMessage(text)?.transmissionKey;

test('a request and a response', () => {
  const invite = outlineMessage(request('INVITE', { extra: 'c: application/sdp\r\n' }));
  assert.deepEqual(
    [
      invite?.callId,
      invite?.method,
      invite?.status,
      invite?.sequence,
      invite?.contentType,
      invite?.opensCall,
    ],
    ['call@1', 'INVITE', undefined, 7, 'application/sdp', true],
  );
  const busy = outlineMessage(response('486 Busy Here'));
  assert.deepEqual(
    [busy?.callId, busy?.method, busy?.status, busy?.reason, busy?.opensCall],
    ['call@1', 'INVITE', 486, 'Busy Here', false],
  );
  assert.equal(outlineMessage(request('INVITE', { toTag: 't' }))?.opensCall, false);
  assert.equal(outlineMessage(request('REGISTER'))?.opensCall, false);
});

test('what is no message of a call has no outline', () => {
  for (const text of ['', '\r\n\r\n', 'GET / HTTP/1.1\r\nCall-ID: 1\r\nCSeq: 1 GET\r\n\r\n', '\0\0\0\0\0'])
    assert.equal(outlineMessage(text), undefined);
  assert.equal(outlineMessage(request('INVITE').replace('i: call@1\r\n', '')), undefined);
  assert.equal(outlineMessage(request('INVITE').replace('CSeq: 7', 'CSeq: seven')), undefined);
});

test('headers are found however their lines are written, the first of each, among 255', () => {
  const outline = (...lines: string[]) =>
    outlineMessage(['INVITE sip:a@b SIP/2.0', ...lines, '', ''].join('\r\n'));
  const usual = outline('Via: SIP/2.0/UDP h;branch=b', 'To: <sip:a>;tag=t', 'Call-ID: c', 'CSeq: 7 INVITE');
  assert.equal(usual?.transmissionKey, 'INVITE 7 INVITE t b ');
  for (const lines of [
    ['VIA: SIP/2.0/UDP h;branch=b', 'T : <sip:a>;tag=t', 'CALL-ID:c', 'cSEQ:7 INVITE'],
    [' v: SIP/2.0/UDP h;branch=b', '\tt: <sip:a>;tag=t', '  i: c', ' cseq: 7 INVITE'],
    [
      'Contact: <sip:x>',
      'v:SIP/2.0/UDP h;branch=b',
      'Route: <sip:r>',
      't:<sip:a>;tag=t',
      'i:c',
      'CSeq: 7 INVITE',
    ],
    [
      'Via: h;branch=b',
      'Via: g;branch=x',
      'To: a;tag=t',
      'To: a;tag=u',
      'i:c',
      'i:d',
      'CSeq: 7 INVITE',
      'CSeq: 8 ACK',
    ],
    ['v:h;branch=b', 't:a;tag=t', 'i:c', ...Array.from({ length: 251 }, () => 'Via'), 'CSeq: 7 INVITE'],
  ]) {
    assert.deepEqual(outline(...lines), usual, lines.slice(0, 8).join('|'));
    const byFeeds = ['INVITE sip:a@b SIP/2.0', ...lines, '', ''].join('\n');
    assert.deepEqual(outlineMessage(byFeeds), usual);
  }
  const far = [
    'v:h;branch=b',
    't:a;tag=t',
    'i:c',
    ...Array.from({ length: 252 }, () => 'Via'),
    'CSeq: 7 INVITE',
  ];
  assert.equal(outline(...far), undefined);
  assert.equal(outlineMessage('INVITE sip:a@b SIP/2.0'), undefined);
  assert.deepEqual(
    outlineMessage('INVITE sip:a@b SIP/2.0\r\nv:h;branch=b\r\nt:a;tag=t\r\ni:c\r\nCSeq: 7 INVITE'),
    usual,
  );
});

test('one key for every transmission of a message, another for every other message', () => {
  assert.equal(keyOf(request('INVITE')), keyOf(request('INVITE')));
  assert.notEqual(keyOf(request('INVITE')), keyOf(request('INVITE', { branch: 'b2' })));
  assert.notEqual(keyOf(request('INVITE')), keyOf(request('CANCEL')));
  assert.notEqual(keyOf(response('180 Ringing')), keyOf(response('200 OK')));
  assert.notEqual(
    keyOf(response('183 Progress', { extra: 'RSeq: 1\r\n' })),
    keyOf(response('183 Progress', { extra: 'RSeq: 2\r\n' })),
  );
  // RFC 3261 section 13.2.2.4: an ACK to a 2xx has a branch of its own each time.
  assert.equal(keyOf(request('ACK', { toTag: 't' })), keyOf(request('ACK', { toTag: 't', branch: 'b2' })));
  assert.notEqual(keyOf(request('ACK', { toTag: 't' })), keyOf(request('ACK', { toTag: 'u' })));
});

test('where the body begins', () => {
  assert.equal(bodyStart('a\r\n\r\nb'), 5);
  assert.equal(bodyStart('a\n\nb'), 3);
  assert.equal(bodyStart('no body'), 7);
});
