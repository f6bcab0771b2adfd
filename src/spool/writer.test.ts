import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  rmdirSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { afterEach, test } from 'node:test';
import { decodeJournal } from './journal.ts';
import type { OpenSegment } from './producer.ts';
import { openSpool, readTrack } from './reader.ts';
import { TestSpool, testParty } from './test-spool.ts';

const spools: TestSpool[] = [];
afterEach(() => {
  for (const spool of spools.splice(0)) spool.remove();
});

function newSpool(options: ConstructorParameters<typeof TestSpool>[0] = {}): TestSpool {
  const spool = new TestSpool(options);
  spools.push(spool);
  return spool;
}

const segmentId = (number: number): string => String(number).padStart(16, '0');

function begin(spool: TestSpool, recordingId = 'A', number = 1): OpenSegment {
  spool.startRecording(recordingId);
  const trackId = `t${number}`;
  spool.producer.append(recordingId, { type: 'track', trackId, startSample: 0, party: testParty });
  const wants = [{ recordingId, startSample: 0 }];
  const segment = spool.producer.openSegment({
    segmentId: segmentId(number),
    conversationId: 'room',
    trackId,
    wants,
  });
  spool.producer.format(segment, { codec: 'PCMU', clockRateHz: 8000, payloadType: 0, ssrc: 1 }, 0);
  return segment;
}

function finish(spool: TestSpool, segment: OpenSegment, recordingId = 'A'): void {
  spool.producer.closeSegment(segment);
  spool.producer.append(recordingId, { type: 'end', atSample: 0, endedUnixMs: 0, reason: 'stopped' });
  spool.producer.finishRecording(recordingId);
}

const send = (spool: TestSpool, segment: OpenSegment, number: number): boolean =>
  spool.producer.packet(segment, number, number * 160, number * 20_000, Buffer.alloc(160, number));

const packetsOf = (spool: TestSpool, recordingId = 'A'): number => {
  const { tracks } = openSpool(spool.path('room'), recordingId, spool.masterKey);
  return tracks.flatMap((track) => [...readTrack(track)]).filter((record) => record.kind === 'packet').length;
};

test('one turn puts everything of all legs into the journal, and the files stay as they are', () => {
  const spool = newSpool();
  const [first, second] = [begin(spool, 'A', 1), begin(spool, 'B', 2)];
  send(spool, first, 1);
  send(spool, second, 1);
  spool.pump();
  assert.deepEqual(readdirSync(spool.spoolDirectory), ['journal']);
  const { entries } = decodeJournal(spool.read('journal/w-1.jnl'));
  const paths = entries.map(({ path }) => path);
  assert.deepEqual(paths.toSorted(), [
    'room/0000000000000001.seg',
    'room/0000000000000002.seg',
    'room/A.rec',
    'room/B.rec',
  ]);
  assert.deepEqual(spool.messages, [
    { event: 'durable', recordingId: 'A' },
    { event: 'durable', recordingId: 'B' },
  ]);
});

test('settling a conversation makes it readable while it goes on', () => {
  const spool = newSpool();
  const segment = begin(spool);
  for (let number = 0; number < 5; number++) send(spool, segment, number);
  spool.pump();
  spool.writer.settleConversation('room');
  assert.equal(packetsOf(spool), 5);
  send(spool, segment, 5);
  spool.pump();
  assert.equal(packetsOf(spool), 5);
  spool.writer.settleConversation('room');
  assert.equal(packetsOf(spool), 6);
});

test('a file with much to settle is settled by itself, its manifest before it', () => {
  const spool = newSpool({ timing: { settleBytes: 2000 } });
  const segment = begin(spool);
  for (let number = 0; number < 20; number++) send(spool, segment, number);
  spool.pump();
  assert.equal(packetsOf(spool), 20);
});

test('when a recording ends, everything is in its files and no journal is left', () => {
  const spool = newSpool();
  const segment = begin(spool);
  send(spool, segment, 1);
  spool.pump();
  finish(spool, segment);
  assert.equal(spool.writer.isClean, false);
  spool.pump();
  assert.deepEqual(spool.messages.at(-1), { event: 'ended', recordingId: 'A' });
  assert.ok(spool.writer.isClean);
  assert.deepEqual(readdirSync(spool.path('journal')), []);
  assert.equal(packetsOf(spool), 1);
});

test('journals are ended by age and by size, and deleted once their files are synced', () => {
  const spool = newSpool({ timing: { rotateAfterUs: 1_000_000, rotateBytes: 50_000 } });
  const segment = begin(spool);
  spool.pump();
  assert.deepEqual(readdirSync(spool.path('journal')), ['w-1.jnl']);
  spool.clock.advanceMs(1000);
  send(spool, segment, 0);
  spool.pump();
  assert.deepEqual(readdirSync(spool.path('journal')), []);
  assert.equal(packetsOf(spool), 1);
  for (let number = 1; number < 400; number++) send(spool, segment, number);
  spool.pump();
  assert.deepEqual(readdirSync(spool.path('journal')), []);
  assert.equal(packetsOf(spool), 400);
  send(spool, segment, 400);
  spool.pump();
  assert.deepEqual(readdirSync(spool.path('journal')), ['w-3.jnl']);
});

test('a disk that refuses is reported, loses nothing, and is gone on with', () => {
  const spool = newSpool();
  mkdirSync(spool.spoolDirectory);
  writeFileSync(spool.path('journal'), 'in the way');
  const segment = begin(spool);
  send(spool, segment, 1);
  spool.pump();
  assert.ok(spool.writer.isStalled);
  assert.deepEqual(
    spool.messages.map(({ event }) => event),
    ['fault'],
  );
  send(spool, segment, 2);
  spool.pump();
  unlinkSync(spool.path('journal'));
  spool.pump();
  assert.equal(spool.writer.isStalled, false);
  finish(spool, segment);
  spool.pump();
  assert.equal(packetsOf(spool), 2);
  assert.deepEqual(spool.messages.at(-1), { event: 'ended', recordingId: 'A' });
});

test('a conversation directory that can not be made delays the end, and keeps the journal', () => {
  const spool = newSpool();
  mkdirSync(spool.spoolDirectory);
  writeFileSync(spool.path('room'), 'in the way');
  const segment = begin(spool);
  send(spool, segment, 1);
  finish(spool, segment);
  spool.pump();
  spool.pump();
  assert.ok(spool.messages.some(({ event }) => event === 'fault'));
  assert.equal(
    spool.messages.some(({ event }) => event === 'ended'),
    false,
  );
  assert.deepEqual(readdirSync(spool.path('journal')), ['w-1.jnl']);
  unlinkSync(spool.path('room'));
  spool.pump();
  spool.pump();
  assert.deepEqual(spool.messages.at(-1), { event: 'ended', recordingId: 'A' });
  assert.equal(packetsOf(spool), 1);
});

test('a file that was removed meanwhile is not made again', () => {
  const spool = newSpool();
  const segment = begin(spool);
  send(spool, segment, 1);
  spool.writer.settleConversation('room');
  spool.pump();
  spool.writer.settleConversation('room');
  for (const name of readdirSync(spool.path('room'))) unlinkSync(spool.path(`room/${name}`));
  rmdirSync(spool.path('room'));
  send(spool, segment, 2);
  finish(spool, segment);
  spool.pump();
  assert.equal(existsSync(spool.path('room')), false);
  assert.deepEqual(spool.messages.at(-1), { event: 'ended', recordingId: 'A' });
  assert.ok(spool.writer.isClean);
});

test('a file of somebody else is never written to', () => {
  const spool = newSpool();
  mkdirSync(spool.path('room'), { recursive: true });
  writeFileSync(spool.path('room/A.rec'), 'an older recording');
  const segment = begin(spool);
  send(spool, segment, 1);
  spool.pump();
  spool.writer.settleConversation('room');
  finish(spool, segment);
  spool.pump();
  assert.equal(spool.read('room/A.rec').toString(), 'an older recording');
  assert.ok(spool.messages.some(({ event }) => event === 'fault'));
});

test('many files with little each are settled before they are too much together', () => {
  const spool = newSpool({ timing: { maxUnsettledBytes: 20_000 } });
  const segments = ['A', 'B', 'C', 'D'].map((recordingId, index) => begin(spool, recordingId, index + 1));
  for (let number = 0; number < 20; number++) for (const segment of segments) send(spool, segment, number);
  spool.pump();
  assert.equal(spool.writer.isStalled, false);
  for (const recordingId of ['A', 'B', 'C', 'D']) assert.equal(packetsOf(spool, recordingId), 20);
});

test('a segment that was removed while it is open is noticed when it is synced', () => {
  const spool = newSpool({ timing: { rotateAfterUs: 1_000_000 } });
  const segment = begin(spool);
  send(spool, segment, 1);
  spool.pump();
  spool.writer.settleConversation('room');
  unlinkSync(spool.path(`room/${segment.segmentId}.seg`));
  send(spool, segment, 2);
  spool.clock.advanceMs(1000);
  spool.pump();
  spool.pump();
  assert.deepEqual(readdirSync(spool.path('journal')), []);
  send(spool, segment, 3);
  spool.pump();
  // Nobody wants what follows.
  assert.deepEqual(readdirSync(spool.path('journal')), []);
  finish(spool, segment);
  spool.pump();
  assert.deepEqual(readdirSync(spool.path('room')), ['A.rec']);
  assert.deepEqual(spool.messages.at(-1), { event: 'ended', recordingId: 'A' });
  assert.ok(spool.writer.isClean);
});

test('nothing stays open behind the end', () => {
  const spool = newSpool();
  const openBelow = (): string[] =>
    readdirSync('/proc/self/fd').flatMap((fd) => {
      try {
        const path = readlinkSync(`/proc/self/fd/${fd}`);
        return path.startsWith(spool.spoolDirectory) ? [path] : [];
      } catch {
        return [];
      }
    });
  const segments = ['A', 'B', 'C'].map((recordingId, index) => begin(spool, recordingId, index + 1));
  for (const segment of segments) send(spool, segment, 1);
  spool.pump();
  spool.writer.settleConversation('room');
  assert.equal(openBelow().filter((path) => path.endsWith('.seg')).length, 3);
  ['A', 'B', 'C'].forEach((recordingId, index) => {
    finish(spool, segments[index]!, recordingId);
  });
  spool.pump();
  assert.ok(spool.writer.isClean);
  assert.deepEqual(openBelow(), []);
});
