import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { openSpool, readTrack } from './reader.ts';
import type { SpoolRecord } from './records.ts';
import { TestSpool, testParty } from './test-spool.ts';

const format = { codec: 'PCMU', clockRateHz: 8000, payloadType: 0, ssrc: 1 } as const;
const opening = {
  segmentId: '0000000000000001',
  conversationId: 'room',
  trackId: 't1',
  wants: [{ recordingId: 'A', startSample: 0 }],
};
let spool: TestSpool;
beforeEach(() => {
  spool = new TestSpool({ ringBytes: 8192 });
});
afterEach(() => spool.remove());

function begin(): ReturnType<TestSpool['producer']['openSegment']> {
  spool.startRecording('A');
  spool.producer.append('A', { type: 'track', trackId: 't1', startSample: 0, party: testParty });
  return spool.producer.openSegment(opening);
}

function recordsOf(): SpoolRecord[] {
  spool.pump();
  spool.writer.settleConversation('room');
  const { tracks } = openSpool(spool.path('room'), 'A', spool.masterKey);
  return [...readTrack(tracks[0]!)];
}

test('what goes into the ring comes out of the spool', () => {
  const segment = begin();
  assert.ok(spool.producer.format(segment, format, 0));
  assert.ok(spool.producer.packet(segment, 65_535, 0xffff_ffff, 20_000, Buffer.alloc(160, 1)));
  assert.ok(spool.producer.digit(segment, { digit: '5', rtpTime: 8, arrivalUs: 30_000 }));
  spool.producer.closeSegment(segment);
  assert.deepEqual(recordsOf(), [
    { kind: 'format', ...format },
    {
      kind: 'packet',
      sequenceNumber: 65_535,
      rtpTime: 0xffff_ffff,
      arrivalUs: 20_000,
      payload: Buffer.alloc(160, 1),
    },
    { kind: 'digit', digit: '5', rtpTime: 8, arrivalUs: 30_000 },
  ]);
  assert.equal(spool.producer.overflows, 0);
});

test('a full ring drops packets, counts them, and marks the place once there is space', () => {
  const segment = begin();
  spool.producer.format(segment, format, 0);
  let accepted = 0;
  while (spool.producer.packet(segment, accepted, 0, accepted * 20_000, Buffer.alloc(160))) accepted++;
  const lostAtUs = accepted * 20_000;
  for (let more = 0; more < 4; more++)
    spool.producer.packet(segment, 0, 0, lostAtUs + more, Buffer.alloc(160));
  assert.equal(spool.producer.overflows, 5);
  spool.pump();
  spool.producer.flush();
  assert.ok(spool.producer.packet(segment, 100, 0, 900_000, Buffer.alloc(160)));
  const records = recordsOf();
  assert.deepEqual(records.at(-2), { kind: 'overflow', packets: 5, arrivalUs: lostAtUs });
  assert.equal(records.filter((record) => record.kind === 'packet').length, accepted + 1);
});

test('controls wait for space, in order, and nothing overtakes them', () => {
  const segment = begin();
  spool.producer.format(segment, format, 0);
  let accepted = 0;
  while (spool.producer.packet(segment, accepted, 0, 0, Buffer.alloc(160))) accepted++;
  spool.producer.closeSegment(segment);
  for (let at = 0; at < 100; at++)
    spool.producer.append('A', { type: 'pause', atSample: at, behaviour: 'skip' });
  const next = spool.producer.openSegment({ ...opening, segmentId: '0000000000000002' });
  assert.equal(spool.producer.packet(next, 7, 7, 7, Buffer.alloc(160)), false);
  for (let turn = 0; turn < 10; turn++) {
    spool.pump();
    spool.producer.flush();
  }
  assert.ok(spool.producer.format(next, format, 0));
  const records = recordsOf();
  const marks = records.filter((record) => record.kind === 'overflow');
  assert.deepEqual(
    marks.map(({ packets }) => packets),
    [1, 1],
  );
  const { pauses, tracks } = openSpool(spool.path('room'), 'A', spool.masterKey);
  assert.deepEqual(
    pauses.map(({ fromSample }) => fromSample),
    Array.from({ length: 100 }, (_, at) => at),
  );
  assert.equal(tracks[0]!.segments.length, 2);
});

test('a control that can never fit is refused to its caller', () => {
  const meta = { text: 'x'.repeat(8192) };
  assert.throws(() => spool.startRecording('A', { meta }), { code: 'REQUEST_INVALID' });
});
