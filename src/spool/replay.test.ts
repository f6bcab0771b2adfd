import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { Secret } from '../secret.ts';
import { entryBytes, type JournalEntry, journalHeader, journalHeaderBytes, writeEntry } from './journal.ts';
import { replayJournals } from './replay.ts';
import { temporaryDirectory } from './test-spool.ts';

const masterKey = new Secret(Buffer.alloc(32, 1));
let spool: string;
beforeEach(() => {
  spool = temporaryDirectory();
  mkdirSync(join(spool, 'journal'));
});
afterEach(() => rmSync(spool, { recursive: true }));

const entry = (path: string, offset: number, text: string): JournalEntry => ({
  path,
  offset,
  body: Buffer.from(text),
});

function writeJournal(name: string, entries: readonly JournalEntry[]): Buffer {
  const total = entries.reduce(
    (sum, { path, body }) => sum + entryBytes(path, body.length),
    journalHeaderBytes,
  );
  const bytes = Buffer.alloc(total);
  let at = journalHeader().copy(bytes);
  for (const each of entries) at = writeEntry(bytes, at, each);
  writeFileSync(join(spool, 'journal', name), bytes);
  return bytes;
}

const content = (path: string): string => readFileSync(join(spool, path), 'utf8');
const journals = (): string[] => readdirSync(join(spool, 'journal'));

test('entries go to their places, in the order of the journals, and the journals go', () => {
  writeJournal('w-10.jnl', [entry('room/A.rec', 6, 'three')]);
  writeJournal('w-9.jnl', [entry('room/A.rec', 0, 'one'), entry('room/A.rec', 3, 'two')]);
  const report = replayJournals(spool, masterKey);
  assert.deepEqual(report, { journals: 2, entries: 3, skippedEntries: 0, tornBytes: 0 });
  assert.equal(content('room/A.rec'), 'onetwothree');
  assert.deepEqual(journals(), []);
});

test('replaying again over what was settled, wholly or partly, changes nothing', () => {
  const entries = [entry('room/A.rec', 0, 'one'), entry('room/A.rec', 3, 'two'), entry('room/B.rec', 0, 'b')];
  writeJournal('w-1.jnl', entries);
  replayJournals(spool, masterKey);
  for (const length of [1, 3, 5, 6]) {
    truncateSync(join(spool, 'room/A.rec'), length);
    writeJournal('w-1.jnl', entries);
    replayJournals(spool, masterKey);
    assert.equal(content('room/A.rec'), 'onetwo');
    assert.equal(content('room/B.rec'), 'b');
  }
});

test('a file that was erased is not made again by its later entries', () => {
  writeJournal('w-1.jnl', [entry('room/A.rec', 4, 'rest'), entry('room/B.rec', 0, 'b')]);
  assert.equal(replayJournals(spool, masterKey).skippedEntries, 1);
  assert.equal(existsSync(join(spool, 'room/A.rec')), false);
  writeJournal('w-1.jnl', [entry('gone/A.rec', 4, 'rest')]);
  replayJournals(spool, masterKey);
  assert.equal(existsSync(join(spool, 'gone')), false);
});

test('a hole is never made', () => {
  writeJournal('w-1.jnl', [entry('room/A.rec', 0, 'one'), entry('room/A.rec', 9, 'far')]);
  assert.equal(replayJournals(spool, masterKey).skippedEntries, 1);
  assert.equal(content('room/A.rec'), 'one');
});

test('a torn tail at any byte loses the last entry and nothing else', () => {
  const first = entry('room/A.rec', 0, 'one');
  const last = entry('room/A.rec', 3, 'two');
  const whole = writeJournal('w-1.jnl', [first, last]);
  const border = whole.length - entryBytes(last.path, last.body.length);
  for (let length = border; length < whole.length; length++) {
    rmSync(join(spool, 'room'), { recursive: true, force: true });
    writeFileSync(join(spool, 'journal/w-1.jnl'), whole.subarray(0, length));
    assert.equal(replayJournals(spool, masterKey).tornBytes, length - border);
    assert.equal(content('room/A.rec'), 'one');
  }
});

test("only the lost worker's journals are touched when one is named", () => {
  writeJournal('w-1.jnl', [entry('room/A.rec', 0, 'mine')]);
  writeJournal('v-1.jnl', [entry('room/B.rec', 0, 'theirs')]);
  replayJournals(spool, masterKey, 'w');
  assert.deepEqual(journals(), ['v-1.jnl']);
  assert.equal(existsSync(join(spool, 'room/B.rec')), false);
});

test('paths outside of the conversations are never written', () => {
  for (const path of ['../evil.rec', '/tmp/evil.rec', 'journal/x.rec', 'room/../../evil.seg', 'room/x.txt'])
    writeJournal(`w-${path.length}.jnl`, [entry(path, 0, 'evil')]);
  const report = replayJournals(spool, masterKey);
  assert.equal(report.skippedEntries, report.entries);
  assert.deepEqual(readdirSync(spool), ['journal']);
});

test('a journal of a version we do not know is kept aside', () => {
  const bytes = writeJournal('w-1.jnl', [entry('room/A.rec', 0, 'one')]);
  bytes[4] = 9;
  writeFileSync(join(spool, 'journal/w-1.jnl'), bytes);
  replayJournals(spool, masterKey);
  assert.deepEqual(journals(), ['w-1.jnl.unknown']);
  unlinkSync(join(spool, 'journal/w-1.jnl.unknown'));
});
