import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  decodeJournal,
  entryBytes,
  type JournalEntry,
  journalHeader,
  journalHeaderBytes,
  kindVoid,
  writeEntry,
} from './journal.ts';

const entries: JournalEntry[] = [
  { path: 'room/A.rec', offset: 0, body: Buffer.from('header\n') },
  { path: 'room/0011223344556677.seg', offset: 2 ** 33, body: Buffer.alloc(500, 7) },
  { path: 'room/A.rec', offset: 7, body: Buffer.alloc(0) },
  { path: 'other/B.rec', offset: 3, body: Buffer.from('last words') },
];

function journalOf(list: readonly JournalEntry[]): Buffer {
  const bytes = Buffer.alloc(
    journalHeaderBytes + list.reduce((sum, e) => sum + entryBytes(e.path, e.body.length), 0),
  );
  let at = journalHeader().copy(bytes);
  for (const entry of list) at = writeEntry(bytes, at, entry);
  assert.equal(at, bytes.length);
  return bytes;
}

const plain = ({ path, offset, body }: JournalEntry): JournalEntry => ({
  path,
  offset,
  body: Buffer.from(body),
});
const whole = journalOf(entries);

test('entries come back in order', () => {
  const decoded = decodeJournal(whole);
  assert.deepEqual(decoded.entries.map(plain), entries.map(plain));
  assert.equal(decoded.goodBytes, whole.length);
});

test('a tail torn at any byte of the last entry costs that entry and nothing else', () => {
  const before = journalOf(entries.slice(0, -1)).length;
  for (let length = before; length < whole.length; length++) {
    const torn = decodeJournal(whole.subarray(0, length));
    assert.equal(torn.goodBytes, before);
    assert.equal(torn.entries.length, entries.length - 1);
  }
});

test('zeroes, or another byte anywhere in the last entry, end the journal before it', () => {
  const before = journalOf(entries.slice(0, -1)).length;
  for (let at = before; at < whole.length; at++) {
    const altered = Buffer.from(whole);
    altered[at]! ^= 0x11;
    assert.equal(decodeJournal(altered).goodBytes, before, `byte ${at - before}`);
    altered.fill(0, at);
    assert.equal(decodeJournal(altered).goodBytes, before, `zeroes from ${at - before}`);
  }
  assert.equal(decodeJournal(Buffer.concat([whole, Buffer.alloc(4096)])).goodBytes, whole.length);
});

test('an entry turned void keeps its length and what follows', () => {
  const bytes = Buffer.from(whole);
  const target = decodeJournal(bytes).entries[1]!;
  bytes[target.at] = kindVoid;
  bytes.fill(0, target.bodyAt, target.bodyAt + target.body.length);
  const decoded = decodeJournal(bytes);
  assert.deepEqual(
    decoded.entries.map((entry) => entry.kind === 'void'),
    [false, true, false, false],
  );
  assert.deepEqual(plain(decoded.entries[3]!), plain(entries[3]!));
});

test('another version, or no journal at all, gives nothing', () => {
  const later = Buffer.from(whole);
  later[4] = 3;
  assert.deepEqual(decodeJournal(later), { entries: [], goodBytes: 0 });
  assert.deepEqual(decodeJournal(Buffer.from('CRJ')), { entries: [], goodBytes: 0 });
});
