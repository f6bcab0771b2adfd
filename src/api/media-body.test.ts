import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LegReport } from '../media/control.ts';
import { legMediaBody, stayMediaBody, toLegMedia, toStayMedia } from './media-body.ts';

const report: LegReport = {
  durationMs: 5000,
  received: {
    packets: 250,
    bytes: 40_000,
    lost: 3,
    duplicates: 1,
    reordered: 2,
    late: 4,
    concealedMs: 60,
    jitterMs: { latest: 0.5, most: 2.8 },
    ssrcChanges: 1,
    refused: 5,
    srtp: { authenticationFailures: 6, replays: 7, malformed: 8 },
    codecs: [
      { codec: 'PCMU', payloadType: 0, clockRateHz: 8000, atMs: 15 },
      { codec: 'OPUS', payloadType: 96, clockRateHz: 48_000, atMs: 2000 },
    ],
  },
  sent: { packets: 200, bytes: 32_000, peer: { lost: 1, jitterMs: 0.7 } },
  roundTripMs: { least: 1.2, latest: 3.4 },
};

test('figures of a stay, the codecs with their place in the recording', () => {
  const body = toStayMedia(report, (atMs) => atMs * 16 - 160);
  assert.deepEqual(stayMediaBody.parse(body), body);
  assert.deepEqual(body, {
    duration_ms: 5000,
    received: {
      packets: 250,
      bytes: 40_000,
      lost: 3,
      duplicates: 1,
      reordered: 2,
      late: 4,
      concealed_ms: 60,
      jitter_ms: { latest: 0.5, most: 2.8 },
      ssrc_changes: 1,
      refused: 5,
      srtp: { authentication_failures: 6, replays: 7, malformed: 8 },
      codecs: [
        { codec: 'PCMU', payload_type: 0, clock_rate_hz: 8000, at_ms: 15, at_sample: 80 },
        { codec: 'OPUS', payload_type: 96, clock_rate_hz: 48_000, at_ms: 2000, at_sample: 31_840 },
      ],
    },
    sent: { packets: 200, bytes: 32_000, peer: { lost: 1, jitter_ms: 0.7 } },
    round_trip_ms: { least: 1.2, latest: 3.4 },
  });
});

test('a leg that goes on has what was agreed and seen; everything else is not known', () => {
  const agreement = {
    atMs: 3,
    codec: 'PCMU' as const,
    payloadType: 0,
    clockRateHz: 8000,
    ptimeMs: 20,
    direction: 'sendrecv' as const,
    srtp: 'AEAD_AES_128_GCM' as const,
    remote: { address: '192.0.2.1', port: 4000 },
  };
  const body = toLegMedia({ agreed: [agreement], seen: { address: '192.0.2.1', port: 4001, atMs: 9 } });
  assert.deepEqual(legMediaBody.parse(body), body);
  assert.deepEqual(
    [
      body.srtp,
      body.no_media,
      body.one_way,
      body.local,
      body.report,
      body.seen?.at_ms,
      body.agreed[0]?.at_ms,
    ],
    ['AEAD_AES_128_GCM', null, null, null, null, 9, 3],
  );
  const ended = toLegMedia({ agreed: [], report: { ...report, sent: { packets: 0, bytes: 0 } } });
  assert.deepEqual(
    [ended.no_media, ended.one_way, ended.srtp, ended.report?.sent.peer],
    [false, 'received', null, null],
  );
});
