import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { cpSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Secret } from '../secret.ts';
import { decodeJournal, writeEntryHeader } from './journal.ts';
import type { OpenSegment } from './producer.ts';
import { openSpool, readTrack } from './reader.ts';
import { replayJournals } from './replay.ts';
import { SegmentMender } from './segment-mender.ts';
import { SegmentReader } from './segment-reader.ts';
import { TestSpool, temporaryDirectory, testParty } from './test-spool.ts';

const spool = new TestSpool();
const { producer, masterKey } = spool;
const directories: string[] = [];
after(() => {
  spool.remove();
  for (const directory of directories) rmSync(directory, { recursive: true });
});

const id = (number: number): string => String(number).padStart(16, '0');
const firstFile = `room/${id(1)}.seg`;

function open(number: number, trackId: string): OpenSegment {
  const wants = [{ recordingId: 'A', startSample: 0 }];
  const segment = producer.openSegment({ segmentId: id(number), conversationId: 'room', trackId, wants });
  producer.format(segment, { codec: 'PCMU', clockRateHz: 8000, payloadType: 0, ssrc: 1 }, 0);
  return segment;
}

const send = (segment: OpenSegment, number: number): boolean =>
  producer.packet(segment, number, number * 160, number * 20_000, Buffer.alloc(20, number));

/** Two tracks of A: packets 0 to 2 are in the files, 3 to 5 in the journal alone, and the first segment has ended. */
spool.startRecording('A');
for (const trackId of ['t1', 't2'])
  producer.append('A', { type: 'track', trackId, startSample: 0, party: testParty });
const [first, second] = [open(1, 't1'), open(2, 't2')];
for (let number = 0; number < 6; number++) {
  send(first, number);
  send(second, number);
  spool.pump();
  if (number === 2) spool.writer.settleConversation('room');
}
const settled = spool.read(firstFile);
const journal = spool.read('journal/w-1.jnl');
/** As a SIGKILL here leaves it. */
const killed = copyOf(spool.spoolDirectory);
producer.closeSegment(first);
spool.pump();
const ended = { segment: spool.read(firstFile), journal: spool.read('journal/w-1.jnl') };

function copyOf(directory: string): string {
  const copy = temporaryDirectory();
  directories.push(copy);
  cpSync(directory, copy, { recursive: true });
  return copy;
}

const packetsOf = (directory: string): number[][] =>
  openSpool(join(directory, 'room'), 'A', masterKey).tracks.map((track) =>
    [...readTrack(track)].flatMap((record) => (record.kind === 'packet' ? [record.sequenceNumber] : [])),
  );

function isComplete(directory: string): boolean {
  const { segmentId, path, key } = openSpool(join(directory, 'room'), 'A', masterKey).tracks[0]!.segments[0]!;
  const reader = new SegmentReader(path, segmentId, key);
  assert.ok([...reader.records()].length > 0);
  return reader.isComplete;
}

const all = [
  [0, 1, 2, 3, 4, 5],
  [0, 1, 2, 3, 4, 5],
];

test('what the files lack is sealed into them, once', () => {
  const directory = copyOf(killed);
  assert.deepEqual(packetsOf(directory), [
    [0, 1, 2],
    [0, 1, 2],
  ]);
  const report = replayJournals(directory, masterKey);
  assert.deepEqual([report.skippedEntries, report.tornBytes], [0, 0]);
  assert.deepEqual(packetsOf(directory), all);
  assert.deepEqual(readdirSync(join(directory, 'journal')), []);
  assert.equal(isComplete(directory), false);
  const mended = readFileSync(join(directory, firstFile));
  writeFileSync(join(directory, 'journal/w-1.jnl'), journal);
  replayJournals(directory, masterKey);
  assert.deepEqual(readFileSync(join(directory, firstFile)), mended);
});

test('a journal that is mended in two parts, wherever they meet, gives the same records', () => {
  const groups = decodeJournal(journal).entries.filter(({ kind }) => kind === 'group');
  assert.ok(groups.length > 4);
  for (let count = 1; count < groups.length; count++) {
    const directory = copyOf(killed);
    truncateSync(join(directory, firstFile), 0);
    const mender = new SegmentMender(directory, masterKey);
    const reports = [mender.apply(groups.slice(0, count)), mender.apply(groups.slice(count))];
    assert.ok(reports.every(({ skipped, isUnreadable }) => skipped === 0 && !isUnreadable));
    assert.deepEqual(packetsOf(directory), all, `${count} of ${groups.length} first`);
  }
});

test('with a file cut anywhere, or with anything in place of its end, all of it is there again', () => {
  const directory = copyOf(killed);
  const path = join(directory, firstFile);
  const restore = (bytes: Uint8Array): void => {
    writeFileSync(path, bytes);
    writeFileSync(join(directory, 'journal/w-1.jnl'), journal);
    replayJournals(directory, masterKey);
    assert.deepEqual(packetsOf(directory), all, `${bytes.length} bytes`);
  };
  for (let length = 0; length <= settled.length; length++) {
    restore(settled.subarray(0, length));
    if (length % 10 !== 0) continue;
    const zeroes = Buffer.from(settled).fill(0, length);
    if (length === 0 || length >= 16) restore(zeroes);
    if (length >= 16) restore(Buffer.concat([settled.subarray(0, length), randomBytes(300)]));
  }
});

test('a recovery that was killed at any byte is finished by the next', () => {
  const directory = copyOf(killed);
  const path = join(directory, firstFile);
  replayJournals(directory, masterKey);
  const mended = readFileSync(path);
  for (let length = settled.length; length < mended.length; length += 3) {
    writeFileSync(path, mended);
    truncateSync(path, length);
    writeFileSync(join(directory, 'journal/w-1.jnl'), journal);
    replayJournals(directory, masterKey);
    assert.deepEqual(readFileSync(path), mended);
  }
});

test('a segment whose end the journal has is closed; no nonce of the writer is used again', () => {
  const directory = copyOf(killed);
  const path = join(directory, firstFile);
  writeFileSync(join(directory, 'journal/w-1.jnl'), ended.journal);
  writeFileSync(path, settled);
  replayJournals(directory, masterKey);
  assert.deepEqual(packetsOf(directory), all);
  assert.ok(isComplete(directory));
  const mended = readFileSync(path);
  assert.equal(mended.length, ended.segment.length);
  // The same records behind a chunk header of the same length, under the same key.
  const at = settled.length + 12;
  assert.notDeepEqual(mended.subarray(at, at + 100), ended.segment.subarray(at, at + 100));
  writeFileSync(path, ended.segment);
  writeFileSync(join(directory, 'journal/w-1.jnl'), ended.journal);
  replayJournals(directory, masterKey);
  assert.deepEqual(readFileSync(path), ended.segment);
});

test('a file that was erased is not made again, and behind damage nothing is added', () => {
  const directory = copyOf(killed);
  const path = join(directory, firstFile);
  const journalPath = join(directory, 'journal/w-1.jnl');
  const { entries } = decodeJournal(journal);
  const firstGroup = entries.find(({ kind }) => kind === 'group')!;
  const later = Buffer.from(journal);
  later[firstGroup.at] = 0;
  later.fill(0, firstGroup.bodyAt, firstGroup.bodyAt + firstGroup.body.length);
  rmSync(path);
  writeFileSync(journalPath, later);
  assert.equal(replayJournals(directory, masterKey).skippedEntries, 5);
  assert.deepEqual(packetsOf(directory), [[], all[1]]);
  writeFileSync(path, settled.subarray(0, settled.length - 1));
  writeFileSync(journalPath, later);
  assert.equal(replayJournals(directory, masterKey).skippedEntries, 5);
  assert.deepEqual(readFileSync(path), settled.subarray(0, settled.length - 1));
});

test('with another master key nothing is lost: the journal waits for the right one', () => {
  const directory = copyOf(killed);
  const { skippedEntries } = replayJournals(directory, new Secret(randomBytes(32)));
  assert.equal(skippedEntries, 6);
  assert.deepEqual(readdirSync(join(directory, 'journal')), ['w-1.jnl']);
  replayJournals(directory, masterKey);
  assert.deepEqual(packetsOf(directory), all);
  assert.deepEqual(readdirSync(join(directory, 'journal')), []);
});

test('an entry that was altered, with checksums that fit, adds nothing, and nothing is put in its place', () => {
  const directory = copyOf(killed);
  const groups = decodeJournal(journal).entries.filter(({ kind }) => kind === 'group');
  assert.equal(groups.length, 6);
  const { at, bodyAt, path, offset, body } = groups[4]!;
  const altered = Buffer.from(journal);
  altered[bodyAt + 30]! ^= 1;
  writeEntryHeader(altered, at, 'group', path.length, offset, body.length);
  writeFileSync(join(directory, 'journal/w-1.jnl'), altered);
  const { tornBytes, skippedEntries } = replayJournals(directory, masterKey);
  assert.deepEqual([tornBytes, skippedEntries], [0, 3]);
  assert.deepEqual(packetsOf(directory), [
    [0, 1, 2, 3],
    [0, 1, 2, 3],
  ]);
});
