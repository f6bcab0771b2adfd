import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keptPayloads, PayloadRows, slotPayloadBytes } from './payload-rows.ts';

test('rows that no others have, also beyond what there was room for; one that is given back is taken again', () => {
  const rows = new PayloadRows();
  const taken = Array.from({ length: 40 }, () => rows.takeRow());
  for (const [index, row] of taken.entries())
    for (let number = 0; number < keptPayloads; number++) {
      const at = rows.placeOf(row, number);
      rows.bytes.fill(index, at, at + slotPayloadBytes);
    }
  for (const [index, row] of taken.entries())
    for (let number = 0; number < keptPayloads; number++) {
      const word = (index << 24) | (index << 16) | (index << 8) | index;
      assert.ok(rows.holdsOnly(word, -1, rows.placeOf(row, number + keptPayloads)), `row ${index}`);
    }
  rows.giveBack(taken[7]!);
  assert.equal(rows.takeRow(), taken[7]);
});

test('one other byte is noticed', () => {
  const rows = new PayloadRows();
  const at = rows.placeOf(rows.takeRow(), 3);
  for (let i = 0; i < slotPayloadBytes; i++) {
    rows.bytes.fill(0xff, at, at + slotPayloadBytes);
    assert.ok(rows.holdsOnly(-1, -1, at));
    rows.bytes[at + i] = 0xfe;
    assert.ok(!rows.holdsOnly(-1, -1, at));
    assert.ok(rows.holdsOnly(-1, 0x7e7e7e7e, at), 'but for bits that do not count');
    rows.bytes[at + i] = 0xfd;
    assert.ok(!rows.holdsOnly(-1, 0x7e7e7e7e, at));
  }
});
