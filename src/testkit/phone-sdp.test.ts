import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PhoneMedia } from './phone-sdp.ts';
import { oppositeDirection, readPhoneSdp, writePhoneSdp } from './phone-sdp.ts';

const media: PhoneMedia = {
  address: '127.0.0.1',
  port: 4000,
  codecs: ['PCMA', 'PCMU'],
  telephoneEventPayloadType: 101,
  direction: 'sendonly',
};

test('what is written is what is read', () => {
  assert.deepEqual(readPhoneSdp(writePhoneSdp(media, 1, 1)), media);
  const bare: PhoneMedia = {
    ...media,
    address: '::1',
    telephoneEventPayloadType: undefined,
    codecs: ['PCMU'],
  };
  assert.deepEqual(readPhoneSdp(writePhoneSdp(bare, 1, 2)), bare);
});

test('the description is what RFC 8866 says, line by line', () => {
  assert.equal(
    writePhoneSdp({ ...media, codecs: ['PCMU'] }, 7, 3),
    [
      'v=0',
      'o=- 7 3 IN IP4 127.0.0.1',
      's=-',
      'c=IN IP4 127.0.0.1',
      't=0 0',
      'm=audio 4000 RTP/AVP 0 101',
      'a=rtpmap:0 PCMU/8000',
      'a=rtpmap:101 telephone-event/8000',
      'a=fmtp:101 0-15',
      'a=ptime:20',
      'a=sendonly',
      '',
    ].join('\r\n'),
  );
});

test('an answer of another stack is understood: video beside, address and direction of the session, no rtpmap', () => {
  const sdp = [
    'v=0',
    'o=x 1 1 IN IP4 10.0.0.1',
    's=-',
    'c=IN IP4 10.0.0.9',
    'a=inactive',
    't=0 0',
    'm=video 5000 RTP/AVP 34',
    'c=IN IP4 10.0.0.2',
    'm=audio 6000 RTP/AVP 8 0 9',
    'm=audio 7000 RTP/AVP 0',
  ].join('\n');
  assert.deepEqual(readPhoneSdp(sdp), {
    address: '10.0.0.9',
    port: 6000,
    codecs: ['PCMA', 'PCMU', 'G722'],
    telephoneEventPayloadType: undefined,
    direction: 'inactive',
  });
});

test('Opus by any number; a number without a name is none', () => {
  const opus: PhoneMedia = { ...media, codecs: ['OPUS', 'PCMU'], opusPayloadType: 96 };
  const text = writePhoneSdp(opus, 1, 1);
  assert.match(text, /m=audio 4000 RTP\/AVP 96 0 101\r\na=rtpmap:96 opus\/48000\/2/);
  assert.deepEqual(readPhoneSdp(text), opus);
  const nameless = text.replace('a=rtpmap:96 opus/48000/2\r\n', '').replace('RTP/AVP 96', 'RTP/AVP 111');
  assert.deepEqual(readPhoneSdp(nameless).codecs, ['PCMU']);
});

test('a description without audio is refused', () => {
  assert.throws(() => readPhoneSdp('v=0\r\ns=-\r\n'), /no audio with an address/);
});

test('the answer to a direction is its opposite', () => {
  assert.deepEqual((['sendrecv', 'sendonly', 'recvonly', 'inactive'] as const).map(oppositeDirection), [
    'sendrecv',
    'recvonly',
    'sendonly',
    'inactive',
  ]);
});

test('keys are pressed by the clock of what both speak', () => {
  const lines = ['v=0', 'c=IN IP4 192.0.2.7', 'm=audio 4000 RTP/AVP 96 0 97 101', 'a=rtpmap:96 opus/48000/2'];
  const events = ['a=rtpmap:97 telephone-event/48000', 'a=rtpmap:101 telephone-event/8000'];
  const sdp = [...lines, ...events].join('\r\n');
  assert.equal(readPhoneSdp(sdp).telephoneEventPayloadType, 97);
  assert.equal(readPhoneSdp(sdp, undefined, ['PCMU']).telephoneEventPayloadType, 101);
});
