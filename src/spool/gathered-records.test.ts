import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GatheredRecords } from './gathered-records.ts';
import { partHeaderBytes } from './journal-group.ts';

const segmentId = '00112233ffeeddcc';
const pattern = (bytes: number, seed: number): Buffer =>
  Buffer.from(Uint8Array.from({ length: bytes }, (_, at) => (at * 7 + seed) & 0xff));
const sizes = [1, 175, 2048, 0, 1872, 10_000, 2047];

function add(records: GatheredRecords, row: number, bytes: Buffer): boolean {
  return records.add(row, Buffer.concat([Buffer.alloc(3), bytes]), 3, 3 + bytes.length);
}

function gathered(records: GatheredRecords, row: number): Buffer {
  const out = Buffer.alloc(2 + records.length(row));
  assert.equal(records.copyTo(row, out, 2), out.length);
  return out.subarray(2);
}

function part(records: GatheredRecords, row: number): Buffer {
  const out = Buffer.alloc(1 + records.partBytes(row));
  assert.equal(records.writePart(row, out, 1), out.length);
  return out.subarray(1);
}

test('bytes come back as they were added, of each row its own, across blocks and after having been cleared', () => {
  const records = new GatheredRecords();
  const [first, second] = [records.open(segmentId), records.open(segmentId)];
  for (const round of [1, 2, 3]) {
    const added = sizes.map((bytes) => pattern(bytes, bytes + round));
    const others = sizes.map((bytes) => pattern(bytes, 99 + round));
    added.forEach((bytes, index) => {
      add(records, first, bytes);
      add(records, second, others[index]!);
    });
    assert.deepEqual(gathered(records, first), Buffer.concat(added));
    assert.deepEqual(gathered(records, second), Buffer.concat(others));
    for (const row of [first, second]) {
      records.clear(row);
      assert.equal(records.length(row), 0);
    }
  }
});

test('the journal gets each byte once, and the position of it, whatever is sealed between', () => {
  const records = new GatheredRecords();
  const row = records.open(segmentId);
  let position = 0;
  for (let turn = 0; turn < 200; turn++) {
    const bytes = pattern(1 + ((turn * 911) % 6000), turn);
    const split = bytes.length >> 1;
    assert.equal(add(records, row, bytes.subarray(0, split)), split > 0);
    assert.equal(add(records, row, bytes.subarray(split)), split === 0);
    const written = part(records, row);
    assert.equal(written.toString('hex', 0, 8), segmentId);
    assert.equal(written[8], 0);
    assert.equal(written.readUIntBE(10, 6), position);
    assert.equal(written.readUInt32BE(16), bytes.length);
    assert.deepEqual(written.subarray(partHeaderBytes), bytes);
    assert.equal(records.partBytes(row), 0);
    position += bytes.length;
    if (turn % 7 === 0) records.clear(row);
  }
});

test('a closed row has a part though it has nothing new, a dropped one never', () => {
  const records = new GatheredRecords();
  const [closed, dropped] = [records.open(segmentId), records.open(segmentId)];
  for (const row of [closed, dropped]) add(records, row, pattern(10, row));
  part(records, closed);
  records.close(closed);
  assert.equal(part(records, closed)[8], 1);
  records.drop(dropped);
  assert.equal(add(records, dropped, pattern(10, 1)), false);
  records.close(dropped);
  assert.equal(records.partBytes(dropped), 0);
  assert.equal(records.length(dropped), 0);
});

test('what is counted is counted once, and nothing of a row that is forgotten is left', () => {
  const records = new GatheredRecords();
  const [first, second] = [records.open(segmentId), records.open(segmentId)];
  add(records, first, pattern(100, 1));
  add(records, second, pattern(50, 1));
  assert.equal(records.uncountedBytes, 150);
  assert.equal(records.count(first), 100);
  assert.equal(records.count(first), 0);
  assert.equal(records.uncountedBytes, 50);
  records.close(second);
  records.forget(second);
  assert.equal(records.uncountedBytes, 0);
  const again = records.open('0000000000000001');
  assert.equal(again, second);
  assert.equal(records.length(again), 0);
  assert.equal(records.partBytes(again), 0);
  add(records, again, pattern(5, 1));
  assert.equal(part(records, again).toString('hex', 0, 8), '0000000000000001');
});

test('many rows at once, more than a piece of memory holds, keep to themselves', () => {
  const records = new GatheredRecords();
  const rows = Array.from({ length: 300 }, () => records.open(segmentId));
  for (const row of rows) add(records, row, pattern(20_000, row));
  for (const row of rows) assert.deepEqual(gathered(records, row), pattern(20_000, row));
  for (const row of rows.splice(0, 299)) records.forget(row);
  assert.deepEqual(gathered(records, rows[0]!), pattern(20_000, rows[0]!));
  const more = Array.from({ length: 2000 }, () => records.open(segmentId));
  for (const row of more) add(records, row, pattern(9000, row));
  for (const row of more) assert.deepEqual(gathered(records, row), pattern(9000, row));
});
