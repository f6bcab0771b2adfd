import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import {
  type DecodedJournal,
  decodeJournal,
  entryBytes,
  journalHeader,
  journalHeaderBytes,
  kindVoid,
  writeEntry,
} from './journal.ts';
import { readJournal } from './journal-reader.ts';

const directory = mkdtempSync(join(tmpdir(), 'callreel-journal-'));
after(() => rmSync(directory, { recursive: true }));

/** Bodies of 0 to 4 kB. */
const list = Array.from({ length: 60 }, (_, number) => ({
  path: `room${number}/A.rec`,
  offset: number,
  body: Buffer.alloc((number * 523) % 4096, number),
}));
const whole = Buffer.alloc(
  journalHeaderBytes + list.reduce((sum, { path, body }) => sum + entryBytes(path, body.length), 0),
);
list.reduce((at, entry) => writeEntry(whole, at, entry), journalHeader().copy(whole));

/** All of it, and the most that was in memory at once. */
function readBy(
  windowBytes: number,
  bytes: Buffer,
  checksBodies = true,
): DecodedJournal & { mostBytes: number } {
  const path = join(directory, 'w-1.jnl');
  writeFileSync(path, bytes);
  const fd = openSync(path, 'r');
  const read: DecodedJournal & { mostBytes: number } = { entries: [], goodBytes: 0, mostBytes: 0 };
  try {
    for (const { entries, goodBytes } of readJournal(fd, { windowBytes, checksBodies })) {
      read.goodBytes = goodBytes;
      read.mostBytes = Math.max(read.mostBytes, entries[0]?.body.buffer.byteLength ?? 0);
      read.entries.push(...entries.map((entry) => ({ ...entry, body: Buffer.from(entry.body) })));
    }
  } finally {
    closeSync(fd);
  }
  return read;
}

function assertSame(windowBytes: number, bytes: Buffer, checksBodies = true): void {
  const { entries, goodBytes } = readBy(windowBytes, bytes, checksBodies);
  const expected = decodeJournal(bytes, checksBodies);
  assert.equal(goodBytes, expected.goodBytes, `windows of ${windowBytes}`);
  assert.deepEqual(
    entries,
    expected.entries.map((entry) => ({ ...entry, body: Buffer.from(entry.body) })),
  );
}

const windows = [64, 100, 523, 1000, 4096, 8192, whole.length - 1, whole.length, 1 << 20];

test('entries and their places are those of the file, by windows of any size', () => {
  assert.equal(decodeJournal(whole).entries.length, list.length);
  for (const windowBytes of windows) assertSame(windowBytes, whole);
});

test('a torn tail, a damaged entry, one that is void, an empty file and another version are told as from all of it', () => {
  const damaged = Buffer.from(whole);
  const { bodyAt } = decodeJournal(whole).entries[30]!;
  damaged[bodyAt + 5]! ^= 1;
  const damagedHeader = Buffer.from(whole);
  damagedHeader[decodeJournal(whole).entries[41]!.at + 6]! ^= 1;
  const voided = Buffer.from(whole);
  const target = decodeJournal(whole).entries[17]!;
  voided[target.at] = kindVoid;
  voided.fill(0, target.bodyAt, target.bodyAt + target.body.length);
  const later = Buffer.from(whole);
  later[4] = 9;
  const others = [damaged, damagedHeader, voided, later, Buffer.alloc(0), whole.subarray(0, 5)];
  for (const windowBytes of windows) {
    for (const bytes of others) assertSame(windowBytes, bytes);
    assertSame(windowBytes, damaged, false);
    for (let length = whole.length - 40; length < whole.length; length++)
      assertSame(windowBytes, whole.subarray(0, length));
  }
});

test('no more is in memory at once than a window, or an entry that is longer', () => {
  const longest = Math.max(...list.map(({ path, body }) => entryBytes(path, body.length)));
  for (const windowBytes of windows)
    assert.ok(readBy(windowBytes, whole).mostBytes <= Math.max(windowBytes, longest));
});
