import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { bodyParts, mediaType, sessionDescription } from './body.ts';
import type { SipMessage } from './message.ts';
import { parseMessage } from './parser.ts';
import { requestText } from './test-peers.ts';

function message(contentType: string, body: string): SipMessage {
  const text = requestText('INVITE', 5060, { body }).replace('application/sdp', contentType);
  const result = parseMessage(Buffer.from(text));
  assert.ok(result.ok);
  return result.message;
}

const offers: [file: string, boundary: string, parts: number, lastLine: string][] = [
  ['acme-siprec-offer', 'unique-boundary-1', 2, 'a=sendonly'],
  ['broadworks-offer', 'UniqueBroadWorksBoundary', 2, 'a=label:1'],
  ['broadworks-offer-2', 'foobar', 2, 'a=ptime:20'],
  ['cisco-siprec-offer', 'uniqueBoundary', 3, 'a=label:2'],
  ['connectel-offer', 'OSS-unique-boundary-42', 2, 'a=sendonly'],
  ['inactive-sdp-offer', 'uniqueBoundary', 2, 'a=label:2'],
  ['procomm-siprec-offer', '2CD2A2E9', 2, 'a=label:b_leg'],
  ['sonus-siprec-offer', 'sonus-content-delim', 2, 'a=maxptime:20'],
];

for (const [file, boundary, parts, lastLine] of offers)
  test(`the session description of ${file}`, () => {
    const body = readFileSync(new URL(`../../test/data/siprec-offers/${file}.txt`, import.meta.url), 'utf8');
    for (const text of [body, body.replace(/\r?\n/g, '\r\n')]) {
      const invite = message(`multipart/mixed;boundary="${boundary}"`, text);
      assert.equal(bodyParts(invite).length, parts);
      const sdp = sessionDescription(invite) ?? '';
      assert.ok(sdp.startsWith('v=0'), sdp);
      assert.equal(sdp.trim().split(/\r?\n/).at(-1), lastLine);
    }
  });

test('bodies that hold no session description', () => {
  assert.equal(sessionDescription(message('text/plain', 'v=0')), undefined);
  assert.equal(sessionDescription(message('multipart/mixed', '--x\r\n\r\nv=0\r\n--x--')), undefined);
  assert.equal(sessionDescription(message('multipart/mixed;boundary=x', 'no parts')), undefined);
  assert.deepEqual(bodyParts(message('multipart/mixed;boundary=x', '--x\r\n\r\nplain\r\n--x--')), [
    { contentType: 'text/plain', content: 'plain' },
  ]);
  assert.equal(mediaType(message('Application/SDP;charset=utf-8', 'v=0')), 'application/sdp');
});

test('the number of parts is bounded', () => {
  const many = '--x\r\nContent-Type: a/b\r\n\r\ny\r\n'.repeat(1000);
  assert.equal(bodyParts(message('multipart/mixed;boundary=x', many)).length, 16);
});
