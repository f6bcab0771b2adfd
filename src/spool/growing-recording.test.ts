import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, test } from 'node:test';
import { GrowingRecording } from './growing-recording.ts';
import { KeptDescriptors } from './kept-descriptors.ts';
import type { OpenSegment } from './producer.ts';
import { TestSpool, testParty } from './test-spool.ts';

let spool: TestSpool;
let growing: GrowingRecording;
beforeEach(() => {
  spool = new TestSpool();
  growing = new GrowingRecording(spool.path('room'), 'A', spool.masterKey);
});
afterEach(() => spool.remove());

function settle(): void {
  spool.pump();
  spool.writer.settleConversation('room');
}

function begin(): OpenSegment {
  spool.startRecording('A');
  spool.producer.append('A', { type: 'track', trackId: 't1', startSample: 0, party: testParty });
  return openSegment(1);
}

function openSegment(number: number): OpenSegment {
  const segmentId = String(number).padStart(16, '0');
  const wants = [{ recordingId: 'A', startSample: 0 }];
  return spool.producer.openSegment({ segmentId, conversationId: 'room', trackId: 't1', wants });
}

function packet(segment: OpenSegment, sequenceNumber: number): void {
  const arrivalUs = sequenceNumber * 20_000;
  spool.producer.packet(segment, sequenceNumber, sequenceNumber * 160, arrivalUs, Buffer.alloc(160));
}

function end(): void {
  const trackEnd = {
    type: 'track-end',
    trackId: 't1',
    endSample: 800,
    packets: 3,
    overflowPackets: 0,
  } as const;
  spool.producer.append('A', trackEnd);
  spool.producer.append('A', { type: 'end', atSample: 800, endedUnixMs: 30, reason: 'stopped' });
  spool.producer.finishRecording('A');
  settle();
  settle();
}

/** The sequence numbers that are new. */
function news(): number[] {
  growing.look();
  const track = growing.track('t1');
  const found: number[] = [];
  for (let next = track.next(); !next.done; next = track.next())
    if (next.value.kind === 'packet') found.push(next.value.sequenceNumber);
  return found;
}

test('each record is given once, as it comes, across segments', () => {
  assert.throws(() => growing.look(), { code: 'NOT_FOUND' });
  const first = begin();
  packet(first, 1);
  settle();
  assert.deepEqual([news(), news(), growing.track('t1').isWhole], [[1], [], false]);
  packet(first, 2);
  spool.producer.closeSegment(first);
  settle();
  assert.deepEqual([news(), growing.track('t1').isWhole], [[2], false]);
  const second = openSegment(2);
  packet(second, 3);
  settle();
  assert.deepEqual([news(), growing.look().end], [[3], undefined]);
  spool.producer.closeSegment(second);
  end();
  assert.deepEqual([news(), growing.track('t1').isWhole, growing.look().end?.atSample], [[], true, 800]);
});

test('of a track one file at most is kept open, and none when it is read no more', () => {
  const files = new KeptDescriptors();
  const track = growing.track('t1');
  track.files = files;
  const first = begin();
  packet(first, 1);
  settle();
  assert.deepEqual([news(), files.count], [[1], 1]);
  packet(first, 2);
  spool.producer.closeSegment(first);
  settle();
  assert.deepEqual([news(), files.count], [[2], 0]);
  const second = openSegment(2);
  packet(second, 3);
  settle();
  assert.deepEqual([news(), files.count], [[3], 1]);
  const { place } = track;
  track.return();
  assert.equal(files.count, 0);
  packet(second, 4);
  settle();
  assert.deepEqual([news(), files.count], [[4], 1]);
  track.goTo(place);
  assert.deepEqual([news(), files.count], [[4], 1]);
  track.return();
  assert.equal(files.count, 0);
});

test('a chunk of which only a part is there is read when all of it is', () => {
  const segment = begin();
  packet(segment, 1);
  settle();
  const path = spool.path('room/0000000000000001.seg');
  const whole = readFileSync(path);
  writeFileSync(path, whole.subarray(0, whole.length - 20));
  assert.deepEqual(news(), []);
  appendFileSync(path, whole.subarray(whole.length - 20));
  assert.deepEqual(news(), [1]);
});

test('a segment that was cut off in a recording that ended in order is damage', () => {
  const segment = begin();
  packet(segment, 1);
  spool.producer.closeSegment(segment);
  end();
  const path = spool.path('room/0000000000000001.seg');
  const whole = readFileSync(path);
  writeFileSync(path, whole.subarray(0, whole.length - 1));
  assert.throws(news, { code: 'SPOOL_CORRUPT' });
});

test('the newest record is known of whatever segment, and what is not wanted yet is not read', () => {
  const track = growing.track('t1');
  const first = begin();
  packet(first, 1);
  settle();
  packet(first, 2);
  settle();
  track.untilUs = 40_000;
  assert.deepEqual([news(), track.newestUs()], [[1], 40_000]);
  spool.producer.closeSegment(first);
  const second = openSegment(2);
  packet(second, 3);
  settle();
  assert.deepEqual([news(), track.newestUs()], [[], 60_000]);
  track.untilUs = 60_001;
  assert.deepEqual([news(), track.newestUs()], [[2, 3], 60_000]);
  packet(second, 4);
  spool.producer.closeSegment(second);
  end();
  assert.deepEqual([news(), track.isWhole, track.newestUs()], [[], false, 80_000]);
  track.untilUs = Number.POSITIVE_INFINITY;
  assert.deepEqual([news(), track.isWhole], [[4], true]);
});

test('what was read is read again from a place on, whatever came meanwhile', () => {
  const first = begin();
  for (let number = 0; number < 10; number++) packet(first, number);
  settle();
  growing.look();
  const track = growing.track('t1');
  const numbers = (): number[] => {
    const found: number[] = [];
    for (let next = track.next(); !next.done; next = track.next())
      if (next.value.kind === 'packet') found.push(next.value.sequenceNumber);
    return found;
  };
  track.untilUs = 4 * 20_000;
  assert.deepEqual(numbers(), [0, 1, 2, 3]);
  const { place } = track;
  track.untilUs = Number.POSITIVE_INFINITY;
  assert.deepEqual(numbers(), [4, 5, 6, 7, 8, 9]);
  spool.producer.closeSegment(first);
  const second = openSegment(2);
  for (let number = 10; number < 13; number++) packet(second, number);
  settle();
  growing.look();
  assert.deepEqual(numbers(), [10, 11, 12]);
  track.goTo(place);
  track.fromUs = 7 * 20_000;
  assert.deepEqual(numbers(), [7, 8, 9, 10, 11, 12]);
  assert.deepEqual(numbers(), []);
});
