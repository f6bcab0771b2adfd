import assert from 'node:assert/strict';
import { test } from 'node:test';
import { outlineMessage } from './message-outline.ts';
import { redactMessage } from './redact-message.ts';

function redacted(method: string, headers: string, body = ''): string {
  const text = `${method} sip:a@b SIP/2.0\r\nCall-ID: 1\r\nCSeq: 1 ${method}\r\n${headers}\r\n${body}`;
  const outline = outlineMessage(text);
  assert.ok(outline);
  return redactMessage(text, outline);
}

const secret = 'a1b2c3d4e5f60718293a4b5c6d7e8f90';
const authorizations = [
  `Authorization: Digest username="u", nonce="n", response="${secret}", qop=auth\r\n`,
  `Proxy-Authorization : DIGEST username="u",response=${secret},nonce="n"\r\n`,
  `authorization: Digest username="u",\r\n\tresponse\r\n = "${secret}"\r\n`,
  `Authorization: Basic ${secret}\r\n`,
  `Authorization: Bearer ${secret} and ${secret}\r\n`,
  `Authentication-Info: rspauth="${secret}"\r\n`,
  `Contact: <sips:user:${secret}@example.com>\r\n`,
];
for (const header of authorizations)
  test(`no secret of ${JSON.stringify(header.slice(0, 40))}`, () => {
    const text = redacted('INVITE', header);
    assert.ok(!text.includes(secret), text);
    assert.match(text, /\[redacted\]/);
  });

test('what a digest is made of stays: it tells why it was refused', () => {
  const text = redacted(
    'INVITE',
    'Authorization: Digest username="u", realm="r", nonce="n", response="x"\r\n',
  );
  assert.match(text, /username="u", realm="r", nonce="n", response="\[redacted\]"/);
});

test('a description stays without its keys', () => {
  const sdp = `v=0\r\nm=audio 1 RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${secret}|2^20\r\n`;
  const text = redacted('INVITE', 'Content-Type: application/sdp\r\n', sdp);
  assert.ok(!text.includes(secret));
  assert.match(text, /m=audio 1 RTP\/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:\[redacted\]/);
});

for (const [method, contentType] of [
  ['INFO', 'application/dtmf-relay'],
  ['INFO', 'application/sdp'],
  ['MESSAGE', 'text/plain'],
  ['NOTIFY', 'application/kpml-response+xml'],
  ['INVITE', 'application/pidf+xml'],
] as const)
  test(`of the body of ${method} with ${contentType} the length`, () => {
    const text = redacted(method, `Content-Type: ${contentType}\r\n`, 'Signal=5\r\nDuration=160\r\n');
    assert.ok(!text.includes('Signal'));
    assert.ok(text.endsWith('\r\n\r\n[24 bytes]'), text);
  });

test('without a type there is no body', () => {
  assert.ok(redacted('INVITE', '', 'Signal=5').endsWith('[8 bytes]'));
});

test('of several parts each is treated as its own type wants it', () => {
  const parts =
    'preamble\r\n--x\r\nContent-Type: application/sdp\r\n\r\nv=0\r\na=crypto:1 X inline:KEY\r\n' +
    '--x\r\ncontent-type : text/plain\r\n\r\nhello\r\n--x\r\n\r\nuntyped\r\n--x--\r\nepilogue';
  const text = redacted('INVITE', 'Content-Type: multipart/mixed;boundary="x"\r\n', parts);
  assert.match(text, /v=0\r\na=crypto:1 X inline:\[redacted\]\r\n--x/);
  for (const gone of ['KEY', 'hello', 'untyped', 'preamble', 'epilogue'])
    assert.ok(!text.includes(gone), gone);
});
