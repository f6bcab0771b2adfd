import assert from 'node:assert/strict';
import { test } from 'node:test';
import { audioPeer } from './audio-peer.ts';
import { parseSessionDescription } from './session-description.ts';

const sdp = (...lines: string[]) =>
  parseSessionDescription(`${['v=0', 'o=- 1 1 IN IP4 192.0.2.1', 's=-', ...lines].join('\r\n')}\r\n`);
const stream = ['t=0 0', 'm=audio 4000 RTP/AVP 0'];

test('the family of the offered media decides; within a family the signalling, which a NAT shows', () => {
  const four = sdp('c=IN IP4 10.0.0.2', ...stream);
  assert.equal(audioPeer('192.0.2.9', four), '192.0.2.9');
  assert.equal(audioPeer('2001:db8::9', four), '10.0.0.2');
  const six = sdp('c=IN IP4 10.0.0.2', ...stream, 'c=IN IP6 2001:db8::1');
  assert.equal(audioPeer('192.0.2.9', six), '2001:db8::1');
  assert.equal(audioPeer('2001:db8::9', six), '2001:db8::9');
});

test('names, holds, streams that are not used, and descriptions without one say nothing', () => {
  for (const offer of [
    sdp('c=IN IP4 phone.example', ...stream),
    sdp('c=IN IP4 0.0.0.0', ...stream),
    sdp('c=IN IP4 10.0.0.2', 't=0 0', 'm=audio 0 RTP/AVP 0'),
    sdp('t=0 0'),
  ])
    assert.equal(audioPeer('2001:db8::9', offer), '2001:db8::9');
});
