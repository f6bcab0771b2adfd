import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ArrivalNotes, notedPackets } from './arrival-notes.ts';

test('each has a row of its own, and keeps what it noted while others come and go', () => {
  const notes = new ArrivalNotes();
  const rows = Array.from({ length: 300 }, () => notes.takeRow());
  for (const row of rows) notes.times.fill(row, row, row + notedPackets);
  const more = Array.from({ length: 300 }, () => notes.takeRow());
  assert.equal(new Set([...rows, ...more]).size, 600);
  for (const row of rows)
    assert.ok(notes.times.subarray(row, row + notedPackets).every((time) => time === row));
  notes.giveBack(rows[7]!);
  assert.equal(notes.takeRow(), rows[7]);
});
