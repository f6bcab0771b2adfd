import assert from 'node:assert/strict';
import {
  closeSync,
  cpSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { afterEach, beforeEach, test } from 'node:test';
import { eraseRecording, sweepConversation } from './erase.ts';
import { exportSpool } from './export.ts';
import { decodeJournal } from './journal.ts';
import type { OpenSegment } from './producer.ts';
import { openSpool, readManifest, readTrack } from './reader.ts';
import { replayJournals } from './replay.ts';
import { TestSpool, temporaryDirectory, testParty } from './test-spool.ts';

let spool: TestSpool;
beforeEach(() => {
  // Journals stay, so that an erasure finds entries in them.
  spool = new TestSpool({ timing: { rotateAfterUs: Number.POSITIVE_INFINITY } });
});
afterEach(() => spool.remove());

const id = (number: number): string => String(number).padStart(16, '0');

function open(number: number, ...recordingIds: string[]): OpenSegment {
  const wants = recordingIds.map((recordingId) => ({ recordingId, startSample: 0 }));
  const opening = { segmentId: id(number), conversationId: 'room', trackId: 't1', wants };
  const segment = spool.producer.openSegment(opening);
  spool.producer.format(segment, { codec: 'PCMU', clockRateHz: 8000, payloadType: 0, ssrc: 1 }, 0);
  spool.producer.packet(segment, number, 0, 0, Buffer.alloc(160, number));
  return segment;
}

function begin(recordingId: string): void {
  spool.startRecording(recordingId);
  spool.producer.append(recordingId, { type: 'track', trackId: 't1', startSample: 0, party: testParty });
}

function end(recordingId: string): void {
  spool.producer.append(recordingId, { type: 'end', atSample: 160, endedUnixMs: 0, reason: 'stopped' });
  spool.producer.finishRecording(recordingId);
}

const rooms = (): string[] => readdirSync(spool.path('room')).sort();
const payloads = (recordingId: string): number[] =>
  openSpool(spool.path('room'), recordingId, spool.masterKey).tracks.flatMap((track) =>
    [...readTrack(track)].flatMap((record) => (record.kind === 'packet' ? [record.payload[0]!] : [])),
  );

/** A runs on; B had segment 1 with it and segment 2 alone, and has ended. */
function twoRecordings(): OpenSegment {
  begin('A');
  begin('B');
  const both = open(1, 'A', 'B');
  const second = open(2, 'B');
  spool.pump();
  spool.producer.closeSegment(both);
  spool.producer.closeSegment(second);
  const rest = open(3, 'A');
  end('B');
  spool.pump();
  assert.deepEqual(spool.messages.at(-1), { event: 'ended', recordingId: 'B' });
  return rest;
}

test('erasing a recording beside a running one takes its wraps and its own segments, and no crash brings them back', () => {
  const rest = twoRecordings();
  const wraps = readManifest(spool.path('room/B.rec')).flatMap((record) =>
    record.type === 'segment' ? [record.wrappedKey] : record.type === 'header' ? [record.sealedKey] : [],
  );
  assert.equal(wraps.length, 3);
  const journal = (): Buffer => spool.read('journal/w-1.jnl');
  assert.ok(wraps.every((wrap) => journal().includes(wrap)));

  const { removed } = eraseRecording(spool.spoolDirectory, 'room', 'B');
  assert.deepEqual(removed, ['room/B.rec', `room/${id(2)}.seg`]);
  assert.ok(wraps.every((wrap) => !journal().includes(wrap)));
  spool.producer.packet(rest, 4, 0, 0, Buffer.alloc(160, 4));
  spool.pump();

  // The worker dies here: what the journal holds is put back, and nothing of B is in it.
  const replay = replayJournals(spool.spoolDirectory, spool.masterKey);
  assert.equal(replay.skippedEntries, 0);
  assert.deepEqual(rooms(), [`${id(1)}.seg`, `${id(3)}.seg`, 'A.rec']);
  assert.deepEqual(payloads('A'), [1, 3, 4]);
  assert.throws(() => openSpool(spool.path('room'), 'B', spool.masterKey), { code: 'NOT_FOUND' });
});

test('a running recording is not erased', () => {
  twoRecordings();
  spool.writer.settleConversation('room');
  assert.throws(() => eraseRecording(spool.spoolDirectory, 'room', 'A'), { code: 'CONFLICT' });
  assert.deepEqual(payloads('A'), [1, 3]);
});

test('erasing the last recording takes the directory; erasing again is nothing', () => {
  const rest = twoRecordings();
  spool.producer.closeSegment(rest);
  end('A');
  spool.pump();
  eraseRecording(spool.spoolDirectory, 'room', 'B');
  eraseRecording(spool.spoolDirectory, 'room', 'A');
  assert.equal(existsSync(spool.path('room')), false);
  assert.deepEqual(eraseRecording(spool.spoolDirectory, 'room', 'A').removed, []);
});

test('an erasure killed after any of its steps is finished by the next', () => {
  twoRecordings();
  renameSync(spool.path('room/B.rec'), spool.path('room/B.rec.erased'));
  assert.deepEqual(sweepConversation(spool.spoolDirectory, 'room'), [`room/${id(2)}.seg`]);
  assert.ok(!rooms().includes('B.rec.erased'));
  assert.deepEqual(sweepConversation(spool.spoolDirectory, 'room'), []);
});

test('void entries are skipped, not torn', () => {
  twoRecordings();
  eraseRecording(spool.spoolDirectory, 'room', 'B');
  const bytes = spool.read('journal/w-1.jnl');
  const { entries, goodBytes } = decodeJournal(bytes);
  assert.equal(goodBytes, bytes.length);
  const voided = new Set(entries.filter(({ kind }) => kind === 'void').map(({ path }) => path));
  assert.deepEqual([...voided].sort(), [`room/${id(2)}.seg`, 'room/B.rec']);
  assert.ok(
    entries.filter(({ kind }) => kind === 'void').every(({ body }) => body.every((byte) => byte === 0)),
  );
});

test('identifiers that are paths are refused', () => {
  assert.throws(() => eraseRecording(spool.spoolDirectory, '..', 'B'), { code: 'REQUEST_INVALID' });
  assert.throws(() => eraseRecording(spool.spoolDirectory, 'room', '../x'), { code: 'REQUEST_INVALID' });
  assert.throws(() => eraseRecording(spool.spoolDirectory, 'journal', 'x'), { code: 'REQUEST_INVALID' });
});

test('a bare manifest with its segments and the master key is enough to export', () => {
  twoRecordings();
  const elsewhere = temporaryDirectory();
  try {
    cpSync(spool.path('room'), elsewhere, { recursive: true });
    const exported = exportSpool(`${elsewhere}/B.rec`, spool.masterKey);
    const [track] = exported.recording.tracks;
    assert.equal(exported.recording.end?.reason, 'stopped');
    for (let time = 0; time < 2; time++) assert.equal([...exported.records(track!)].length, 4);
    assert.throws(() => exportSpool(`${elsewhere}/${id(1)}.seg`, spool.masterKey), {
      code: 'REQUEST_INVALID',
    });
    assert.ok(readFileSync(`${elsewhere}/B.rec`).length > 0);
  } finally {
    rmSync(elsewhere, { recursive: true });
  }
});

test('beside a damaged manifest no segment is taken for an orphan', () => {
  const rest = twoRecordings();
  spool.producer.closeSegment(rest);
  end('A');
  spool.pump();
  const bytes = spool.read('room/A.rec');
  bytes[300]! ^= 1;
  writeFileSync(spool.path('room/A.rec'), bytes);
  assert.deepEqual(eraseRecording(spool.spoolDirectory, 'room', 'B').removed, ['room/B.rec']);
  assert.deepEqual(rooms(), [`${id(1)}.seg`, `${id(2)}.seg`, `${id(3)}.seg`, 'A.rec']);
});

test('of an erased manifest nothing is left on the medium: its bytes are zero before its name is gone', () => {
  twoRecordings();
  const before = readFileSync(spool.path('room/B.rec'));
  const file = openSync(spool.path('room/B.rec'), 'r');
  try {
    eraseRecording(spool.spoolDirectory, 'room', 'B');
    assert.deepEqual(readFileSync(file), Buffer.alloc(before.length));
  } finally {
    closeSync(file);
  }
});

test('a clip is no orphan', () => {
  begin('A');
  spool.producer.closeSegment(open(1, 'A'));
  const clip = { party: testParty, endSample: 160 };
  const wants = [{ recordingId: 'A', startSample: 0 }];
  spool.producer.closeSegment(
    spool.producer.openSegment({ segmentId: id(2), conversationId: 'room', trackId: 't1', wants, clip }),
  );
  end('A');
  spool.pump();
  assert.deepEqual(sweepConversation(spool.spoolDirectory, 'room'), []);
  assert.deepEqual(rooms(), [`${id(1)}.seg`, `${id(2)}.seg`, 'A.rec']);
});
