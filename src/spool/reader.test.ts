import assert from 'node:assert/strict';
import { statSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, test } from 'node:test';
import { Secret } from '../secret.ts';
import { openSpool, readManifest, readTrack, type SpoolRecording } from './reader.ts';
import { TestSpool, testParty } from './test-spool.ts';

const segment = 'room/0000000000000001.seg';
let spool: TestSpool;
beforeEach(() => {
  spool = new TestSpool();
});
afterEach(() => spool.remove());

/** One track with one packet; ended with this reason, or running. */
function record(reason?: 'stopped' | 'interrupted'): void {
  const { producer } = spool;
  spool.startRecording('A');
  producer.append('A', { type: 'track', trackId: 't1', startSample: 80, party: testParty });
  const wants = [{ recordingId: 'A', startSample: 80 }];
  const opening = { segmentId: '0000000000000001', conversationId: 'room', trackId: 't1', wants };
  const open = producer.openSegment(opening);
  producer.format(open, { codec: 'PCMU', clockRateHz: 8000, payloadType: 0, ssrc: 1 }, 0);
  producer.packet(open, 1, 0, 10_000, Buffer.alloc(160));
  if (reason) {
    producer.closeSegment(open);
    producer.append('A', {
      type: 'track-end',
      trackId: 't1',
      endSample: 240,
      packets: 1,
      overflowPackets: 0,
    });
    producer.append('A', { type: 'end', atSample: 240, endedUnixMs: 30, reason });
    producer.finishRecording('A');
  }
  spool.pump();
  spool.writer.settleConversation('room');
}

const open = (): SpoolRecording => openSpool(spool.path('room'), 'A', spool.masterKey);
const read = (): number => [...readTrack(open().tracks[0]!)].length;

test('a running recording has tracks without an end and no end', () => {
  record();
  const { tracks, end, header } = open();
  assert.deepEqual([tracks[0]?.endSample, tracks[0]?.packets, end], [undefined, undefined, undefined]);
  assert.equal(header.recordingId, 'A');
  assert.equal(read(), 2);
});

test('a running recording may have a torn tail, or a segment not settled yet', () => {
  record();
  truncateSync(spool.path(segment), statSync(spool.path(segment)).size - 1);
  assert.equal(read(), 0);
  unlinkSync(spool.path(segment));
  assert.equal(read(), 0);
});

test('a recording that ended in order is whole, or damaged', () => {
  record('stopped');
  assert.equal(read(), 2);
  truncateSync(spool.path(segment), statSync(spool.path(segment)).size - 28);
  assert.throws(read, { code: 'SPOOL_CORRUPT' });
  unlinkSync(spool.path(segment));
  assert.throws(read, { code: 'SPOOL_CORRUPT' });
});

test('an interrupted recording may end anywhere', () => {
  record('interrupted');
  truncateSync(spool.path(segment), statSync(spool.path(segment)).size - 28);
  assert.equal(read(), 2);
});

test('a missing recording, a wrong key and a path for an id each have their own error', () => {
  record('stopped');
  const room = spool.path('room');
  assert.throws(() => openSpool(room, 'B', spool.masterKey), { code: 'NOT_FOUND' });
  assert.throws(() => openSpool(room, '../A', spool.masterKey), { code: 'REQUEST_INVALID' });
  const wrong = new Secret(Buffer.alloc(32));
  assert.throws(() => openSpool(room, 'A', wrong), { code: 'SPOOL_KEY_MISSING' });
});

test('a manifest whose first line is torn has no header', () => {
  record('stopped');
  writeFileSync(spool.path('room/A.rec'), spool.read('room/A.rec').subarray(0, 50));
  assert.deepEqual(readManifest(spool.path('room/A.rec')), []);
  assert.throws(open, { code: 'SPOOL_CORRUPT' });
});

test('keys are not printed with a recording', () => {
  record('stopped');
  assert.match(JSON.stringify(open()), /"key":"\[redacted\]"/);
});
