import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatAttributes, payloadFormats } from './payload-format.ts';
import { parseSessionDescription } from './session-description.ts';

const formatsOf = (...lines: string[]) =>
  payloadFormats(parseSessionDescription(['v=0', ...lines].join('\n')).media[0]!);

test('static payload types need no rtpmap', () => {
  assert.deepEqual(
    formatsOf('m=audio 1 RTP/AVP 0 8 9 18').map(({ encoding, clockRateHz }) => `${encoding}/${clockRateHz}`),
    ['PCMU/8000', 'PCMA/8000', 'G722/8000', 'G729/8000'],
  );
});

test('an rtpmap wins over the static meaning, case does not matter, fmtp is attached', () => {
  assert.deepEqual(
    formatsOf(
      'm=audio 1 RTP/AVP 111 0 101',
      'a=rtpmap:111 Opus/48000/2',
      'a=rtpmap:0 pcma/16000',
      'a=rtpmap:101 telephone-event/8000',
      'a=fmtp:101 0-15',
    ),
    [
      { payloadType: 111, encoding: 'OPUS', clockRateHz: 48_000, channels: 2, fmtp: undefined },
      { payloadType: 0, encoding: 'PCMA', clockRateHz: 16_000, channels: 1, fmtp: undefined },
      { payloadType: 101, encoding: 'TELEPHONE-EVENT', clockRateHz: 8000, channels: 1, fmtp: '0-15' },
    ],
  );
});

test('what means nothing is left out', () => {
  assert.deepEqual(
    formatsOf(
      'm=audio 1 RTP/AVP 0 0 x 128 -1 96 97 98',
      'a=rtpmap:97',
      'a=rtpmap:98 speex',
      'a=rtpmap:0 PCMU/8000',
      'a=rtpmap:0 PCMA/8000',
    ).map(({ payloadType, encoding }) => `${payloadType} ${encoding}`),
    ['0 PCMU'],
  );
});

test('attributes are written as the RFCs spell the names', () => {
  const text = formatsOf(
    'm=audio 1 RTP/AVP 111 0 101',
    'a=rtpmap:111 OPUS/48000/2',
    'a=rtpmap:101 TELEPHONE-EVENT/8000',
    'a=fmtp:101 0-15',
  ).flatMap((format) => formatAttributes(format).map(({ name, value }) => `${name}:${value}`));
  assert.deepEqual(text, [
    'rtpmap:111 opus/48000/2',
    'rtpmap:0 PCMU/8000',
    'rtpmap:101 telephone-event/8000',
    'fmtp:101 0-15',
  ]);
});

test('G.722 runs on a clock of 8000 Hz, whatever is written', () => {
  const [format] = formatsOf('m=audio 1 RTP/AVP 9', 'a=rtpmap:9 G722/16000');
  assert.equal(format!.clockRateHz, 8000);
});

test('a clock that no audio runs by means nothing', () => {
  assert.deepEqual(
    formatsOf(
      'm=audio 1 RTP/AVP 96 97 98 99',
      'a=rtpmap:96 telephone-event/0',
      'a=rtpmap:97 CN/9999999',
      'a=rtpmap:98 telephone-event/1',
      'a=rtpmap:99 telephone-event/48000',
    ).map(({ payloadType }) => payloadType),
    [99],
  );
});

test('parameters go to the end of their line, whatever separators stand in it', () => {
  const [format] = formatsOf('m=audio 1 RTP/AVP 0', `a=fmtp:0 ${' '.repeat(9)}a=1\u2028b=2`);
  assert.equal(format?.fmtp, 'a=1\u2028b=2');
});
