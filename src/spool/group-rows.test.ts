import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { gcmKeyBytes, gcmTagBytes } from './gcm.ts';
import { GroupRows } from './group-rows.ts';
import { openGroup, partHeaderBytes } from './journal-group.ts';

/** @returns the number of the entry, and what was sealed */
function sealed(rows: GroupRows, row: number): { number: number; bytes: Buffer } {
  const out = Buffer.alloc(3 + partHeaderBytes + gcmTagBytes);
  const number = rows.seal(row, out, 3, partHeaderBytes);
  return { number, bytes: out.subarray(3) };
}

function pathOf(rows: GroupRows, row: number): string {
  const out = Buffer.alloc(2 + rows.pathBytes(row));
  assert.equal(rows.writePath(row, out, 2), out.length);
  return out.toString('latin1', 2);
}

test('many groups, more than a piece of memory holds, keep their keys, paths and numbers', () => {
  const rows = new GroupRows();
  const groups = Array.from({ length: 300 }, (_, index) => {
    const path = `c${index}/${'s'.repeat(index % 80)}.seg`;
    const group = { row: rows.open(), key: randomBytes(gcmKeyBytes), path };
    rows.lead(group.row, index, group.key, group.path);
    return group;
  });
  for (const round of [0, 1, 2])
    for (const [index, { row, key, path }] of groups.entries()) {
      assert.equal(rows.leader(row), index);
      assert.equal(pathOf(rows, row), path);
      const { number, bytes } = sealed(rows, row);
      assert.equal(number, round);
      assert.ok(openGroup(key, number, bytes));
      assert.equal(openGroup(key, number + 1, bytes), undefined);
    }
});

test('under another leader entries are counted anew, and its key is the only one', () => {
  const rows = new GroupRows();
  const row = rows.open();
  const [first, second] = [randomBytes(gcmKeyBytes), randomBytes(gcmKeyBytes)];
  rows.lead(row, 1, first, 'room/first.seg');
  assert.deepEqual([sealed(rows, row).number, sealed(rows, row).number], [0, 1]);
  rows.forgetLeader(row);
  assert.equal(rows.leader(row), -1);
  assert.equal(openGroup(first, 2, sealed(rows, row).bytes), undefined);
  rows.lead(row, 2, second, 'room/2.seg');
  assert.equal(pathOf(rows, row), 'room/2.seg');
  const { number, bytes } = sealed(rows, row);
  assert.equal(number, 0);
  assert.ok(openGroup(second, 0, bytes));
});

test('a row that was forgotten has neither segments, a leader nor a key, for whoever gets it next too', () => {
  const rows = new GroupRows();
  const row = rows.open();
  const key = randomBytes(gcmKeyBytes);
  rows.lead(row, 7, key, 'room/a.seg');
  rows.setFirstSegment(row, 7);
  rows.setHasClosed(row, true);
  assert.deepEqual([rows.markDirty(row), rows.markDirty(row)], [true, false]);
  rows.forget(row);
  for (const opens of [false, true]) {
    if (opens) assert.equal(rows.open(), row);
    assert.deepEqual([rows.firstSegment(row), rows.leader(row), rows.hasClosed(row)], [-1, -1, false]);
    const { number, bytes } = sealed(rows, row);
    assert.equal(openGroup(key, number, bytes), undefined);
  }
  assert.equal(rows.markDirty(row), true);
  rows.markClean(row);
  assert.equal(rows.markDirty(row), true);
});

test('what does not fit is refused, and what was there stays', () => {
  const rows = new GroupRows();
  const row = rows.open();
  const key = randomBytes(gcmKeyBytes);
  rows.lead(row, 1, key, 'room/a.seg');
  assert.throws(() => rows.lead(row, 2, key.subarray(1), 'room/b.seg'), RangeError);
  assert.throws(() => rows.lead(row, 2, key, 'r'.repeat(129)), RangeError);
  assert.deepEqual([rows.leader(row), pathOf(rows, row)], [1, 'room/a.seg']);
});
