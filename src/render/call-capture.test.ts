import assert from 'node:assert/strict';
import { truncateSync } from 'node:fs';
import { afterEach, beforeEach, test } from 'node:test';
import { readPcap } from '../container/test-pcap.ts';
import { RtpPacketView, RtpParser } from '../rtp/packet.ts';
import { eraseRecording } from '../spool/erase.ts';
import { TestSpool, testParty } from '../spool/test-spool.ts';
import { type CapturePlan, captureCall } from './call-capture.ts';

let spool: TestSpool;
beforeEach(() => {
  spool = new TestSpool();
});
afterEach(() => spool.remove());

const wanted = '0000000000000001';
const shared = '0000000000000002';
const leg = {
  connectionId: testParty.connectionId,
  source: { address: '192.0.2.1', port: 4000 },
  target: { address: '192.0.2.9', port: 5000 },
};

/** Recordings A and B of one room; the party's first segment is A's alone, both have the second. */
function record(): void {
  const { producer } = spool;
  for (const recordingId of ['A', 'B']) {
    spool.startRecording(recordingId);
    producer.append(recordingId, { type: 'track', trackId: 't1', startSample: 80, party: testParty });
  }
  for (const [index, segmentId] of [wanted, shared].entries()) {
    const wants = ['A', 'B'].slice(0, index + 1).map((recordingId) => ({ recordingId, startSample: 80 }));
    const segment = producer.openSegment({ segmentId, conversationId: 'room', trackId: 't1', wants });
    producer.format(segment, { codec: 'PCMU', clockRateHz: 8000, payloadType: 96 + index, ssrc: 7 }, 0);
    for (let k = 0; k < 3; k++) {
      const number = index * 3 + k;
      producer.packet(
        segment,
        65_533 + number,
        number * 160,
        10_000 + number * 20_000,
        Buffer.alloc(160, number),
      );
    }
    producer.digit(segment, { digit: '5', rtpTime: 0, arrivalUs: 10_000 });
    producer.closeSegment(segment);
  }
  for (const recordingId of ['A', 'B']) {
    producer.append(recordingId, { type: 'end', atSample: 240, endedUnixMs: 30, reason: 'stopped' });
    producer.finishRecording(recordingId);
  }
  spool.pump();
  spool.writer.settleConversation('room');
}

const recordings = (...ids: string[]) => ids.map((recordingId) => ({ conversationId: 'room', recordingId }));

function capture(plan: Partial<CapturePlan>, damaged: string[] = []) {
  const { spoolDirectory, masterKey } = spool;
  const chunks = captureCall(
    { messages: [], legs: [leg], recordings: [], ...plan },
    { spoolDirectory, masterKey },
    (id) => damaged.push(id),
  );
  return readPcap(Buffer.concat([...chunks]));
}

test('the packets of every recording, each once, in order, with all that was kept of them', () => {
  record();
  const origin = spool.clock.unixMs() * 1000;
  const view = new RtpPacketView();
  const packets = capture({ recordings: recordings('A', 'B', 'gone') }).map(
    ({ atUnixUs, payload, source, target }) => {
      assert.ok(new RtpParser().parse(payload, view));
      assert.deepEqual([source, target], ['192.0.2.1:4000', '192.0.2.9:5000']);
      return [
        atUnixUs - origin,
        view.payloadType,
        view.sequenceNumber,
        view.timestamp,
        view.ssrc,
        view.payload()[0],
      ];
    },
  );
  assert.deepEqual(
    packets,
    [0, 1, 2, 3, 4, 5].map((k) => [
      10_000 + k * 20_000,
      k < 3 ? 96 : 97,
      (65_533 + k) & 0xffff,
      k * 160,
      7,
      k,
    ]),
  );
});

test('an erased recording gives nothing; what another one shares with it stays', () => {
  record();
  eraseRecording(spool.spoolDirectory, 'room', 'A');
  assert.equal(capture({ recordings: recordings('A') }).length, 0);
  assert.equal(capture({ recordings: recordings('A', 'B') }).length, 3);
});

test('other parties of the room are not in the capture of a call', () => {
  record();
  assert.equal(capture({ recordings: recordings('A'), legs: [{ ...leg, connectionId: 'other' }] }).length, 0);
});

test('damage ends a track, not the file', () => {
  record();
  truncateSync(spool.path(`room/${wanted}.seg`), 200);
  const damaged: string[] = [];
  assert.equal(capture({ recordings: recordings('A') }, damaged).length, 3);
  assert.deepEqual(damaged, ['t1']);
});

test('messages stand at their moments, whole again, and SRTP is described as the RTP it is here', () => {
  record();
  const body = 'v=0\r\nm=audio 4000 RTP/SAVP 0\r\na=crypto:1 X inline:[redacted]\r\n';
  const text = `INVITE sip:a SIP/2.0\r\nCall-ID: 1\r\nContent-Length: 999\r\n\r\n${body}`;
  const { source, target } = leg;
  const atUnixUs = spool.clock.unixMs() * 1000 + 25_000;
  const found = capture({ messages: [{ atUnixUs, source, target, text }], recordings: recordings('A') });
  const expected = 'v=0\r\nm=audio 4000 RTP/AVP 0\r\na=x-crypto:1 X inline:[redacted]\r\n';
  assert.equal(found[1]?.atUnixUs, atUnixUs);
  assert.equal(
    found[1]?.payload.toString(),
    `INVITE sip:a SIP/2.0\r\nCall-ID: 1\r\nContent-Length: ${expected.length}\r\n\r\n${expected}`,
  );
});

test('a long call comes in chunks', () => {
  const text = `X\r\n\r\n${'y'.repeat(8000)}`;
  const { source, target } = leg;
  const messages = Array.from({ length: 100 }, (_, k) => ({ atUnixUs: k, source, target, text }));
  const { spoolDirectory, masterKey } = spool;
  const plan = { messages, legs: [], recordings: [] };
  const sizes = [...captureCall(plan, { spoolDirectory, masterKey }, () => {})].map(({ length }) => length);
  assert.ok(sizes.length > 10 && sizes.every((bytes) => bytes < 80_000), sizes.join(' '));
});
