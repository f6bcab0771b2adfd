import assert from 'node:assert/strict';
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import { decodeJournal } from './journal.ts';
import { JournalWriter } from './journal-writer.ts';
import { temporaryDirectory } from './test-spool.ts';

const directories: string[] = [];
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
});

function begin(): { journal: JournalWriter; path: string } {
  const root = temporaryDirectory();
  directories.push(root);
  const directory = join(root, 'journal');
  const journal = new JournalWriter({ directory, workerId: 'w', syncAfterUs: 500_000 });
  add(journal, 0);
  journal.flush(0, true);
  return { journal, path: join(directory, 'w-1.jnl') };
}

const bodyOf = (number: number): Buffer => Buffer.alloc(1500, number);

function add(journal: JournalWriter, number: number): void {
  journal.add({ path: 'room/A.rec', offset: number, body: bodyOf(number) });
}

function assertHas(path: string, count: number): void {
  const bytes = readFileSync(path);
  const { entries, goodBytes } = decodeJournal(bytes);
  assert.equal(goodBytes, bytes.length);
  assert.deepEqual(
    entries.map(({ offset }) => offset),
    Array.from({ length: count }, (_, number) => number),
  );
  for (const { offset, body } of entries) assert.ok(bodyOf(offset).equals(body));
}

test('what could not be written is written by the next flush, with what came since', () => {
  const { journal, path } = begin();
  const fd = descriptorOf(path);
  closeSync(fd);
  for (let number = 1; number < 400; number++) add(journal, number);
  assert.throws(() => journal.flush(80_000, false), /EBADF/);
  add(journal, 400);
  assert.equal(openSync(path, 'r+'), fd);
  journal.flush(160_000, false);
  assertHas(path, 401);
});

test('what a backlog took is given back once a whole file did without it', () => {
  const { journal, path } = begin();
  const firstBytes = journal.batch.length;
  for (let number = 1; number < 1000; number++) add(journal, number);
  const grownBytes = journal.batch.length;
  assert.ok(grownBytes >= 1000 * 1500, `${grownBytes}`);
  journal.flush(80_000, false);
  journal.rotate(160_000);
  assert.equal(journal.batch.length, grownBytes);
  assertHas(path, 1000);
  add(journal, 0);
  journal.flush(240_000, false);
  const second = journal.rotate(320_000)!;
  assert.equal(journal.batch.length, firstBytes);
  assertHas(second, 1);
});

function descriptorOf(path: string): number {
  const found = readdirSync('/proc/self/fd').find((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === path;
    } catch {
      return false;
    }
  });
  return Number(found);
}
