import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sdpLines, sdpMark, sdpOf } from './sdp-summary.ts';

const sdp =
  'v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 101\r\n';
const message = (body: string) => `INVITE sip:a SIP/2.0\r\nContent-Type: application/sdp\r\n\r\n${body}`;
const read = (body: string) => sdpOf(message(body))!;

test('the streams of a description', () => {
  const more = 'a=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\nm=video 0 RTP/AVP 31\r\n';
  assert.deepEqual(sdpLines(read(sdp + more)), [
    'audio 192.0.2.1:4000 RTP/AVP PCMU/8000 telephone-event/8000 sendrecv ptime 20',
    'video refused',
  ]);
});

const marks: [more: string, mark: string][] = [
  ['', 'sdp'],
  ['a=sendonly\r\n', 'sdp sendonly'],
  ['a=inactive\r\n', 'sdp inactive'],
  ['c=IN IP4 0.0.0.0\r\n', 'sdp sendonly'],
];
for (const [more, mark] of marks)
  test(`the mark of ${JSON.stringify(more)}`, () => assert.equal(sdpMark(read(sdp + more)), mark));

test('one part of several', () => {
  const parts = `--b\r\nContent-Type: application/sdp\r\n\r\n${sdp}--b\r\nContent-Type: text/plain\r\n\r\n[5 bytes]\r\n--b--`;
  assert.deepEqual(sdpLines(read(parts)), ['audio 192.0.2.1:4000 RTP/AVP PCMU/8000 sendrecv']);
});

test('none, and one that cannot be read', () => {
  assert.equal(sdpOf(message('')), undefined);
  assert.equal(sdpOf(message('v=0\r\nm=audio\r\n')), undefined);
});
