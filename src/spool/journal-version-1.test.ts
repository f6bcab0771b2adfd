import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Secret } from '../secret.ts';
import { openSpool, readTrack } from './reader.ts';
import { replayJournals } from './replay.ts';
import { temporaryDirectory } from './test-spool.ts';

/**
 * Written by the last release that had journals of version 1 and segments of version 2, and killed: the recording A with
 * one track, three turns with a packet each.
 */
const masterKey = new Secret(Buffer.from('M/itorTuZZQY+nQYbq6mBTaumiUz/0ypFqEXBwQBDSI=', 'base64'));
const journal = [
  'Q1JKTgEAAAClGQAAAAAAEAAAAAAAAAAADDRUgrVvfNRyb29tLzAwMDAwMDAwMDAwMDAwMDEuc2VnQ1JTRwIBAAAAAAAAAAAA',
  'AaUZAAAAAABGAAAAAAAAABBhje2ojkp38XJvb20vMDAwMDAwMDAwMDAwMDAwMS5zZWcBAAAqAAAAACL56FKKppbUg4j0n6aN',
  'jyOMTOUWnLVvjEmoJHmdN7gPzhPE0ItpOtnCzFp2QO2ylapXdM/adyO73w51mZTopQoAAAAAAnwAAAAAAAAAAEMCjxn8ZOvn',
  'cm9vbS9BLnJlY3sidHlwZSI6ImhlYWRlciIsInZlcnNpb24iOjEsInJlY29yZGluZ0lkIjoiQSIsImNvbnZlcnNhdGlvbklk',
  'Ijoicm9vbSIsImFjY291bnRJZCI6ImFjY291bnQiLCJyYXRlSHoiOjgwMDAsIm9yaWdpblVuaXhNcyI6MTc5MDAwMDAwMDAw',
  'MCwic3RhcnRTYW1wbGUiOjAsInNlYWxlZEtleSI6IkFYK2pMSGN4VTZTbFBySmYvT1lrSlhtb3pGVWpqa3NuZG9iNWt1eWkz',
  'RUFQT05PWkFqWnA4VE5ZVnRib20ySFJLZ1ZrZW43aFJ2dlAxT2xQekE9PSIsIm1ldGEiOnt9fSBkZGY4ZTM4NQp7InR5cGUi',
  'OiJ0cmFjayIsInRyYWNrSWQiOiJ0MSIsInN0YXJ0U2FtcGxlIjowLCJwYXJ0eSI6eyJjb25uZWN0aW9uSWQiOiJjb25uZWN0',
  'aW9uIiwiZnJvbSI6IisxNTU1MDAwMSIsInRvIjoiKzE1NTUwMDAyIiwiZGlyZWN0aW9uIjoiaW5jb21pbmciLCJyb2xlIjoi',
  'cGFydGljaXBhbnQifX0gMmFlNzMxN2EKeyJ0eXBlIjoic2VnbWVudCIsInRyYWNrSWQiOiJ0MSIsInNlZ21lbnRJZCI6IjAw',
  'MDAwMDAwMDAwMDAwMDEiLCJzdGFydFNhbXBsZSI6MCwid3JhcHBlZEtleSI6IkFlbFM4RzhZMGVyOXg2LzJtUDVtVlQ5dFEv',
  'VTh0d1Y5bVFjeUhHLzBtdHE3Z0xZbjFoeTZzeUlLZzl4MnAvNHBwZTlpVktML014WXFhNURaaUE9PSJ9IDJjMzM4NzEzCqUZ',
  'AAAAAAA7AAAAAAAAAFZ1CVkTADdVTXJvb20vMDAwMDAwMDAwMDAwMDAwMS5zZWcBAAAfAAAAATw/7zJ/3FISL9RadATWV+Jx',
  'LRPwmju8sTkCZ6EU/jDgty7NIR6O47zY0Ylj2cT1Qn9Yp6UZAAAAAAA7AAAAAAAAAJHuxWpiF5mX1nJvb20vMDAwMDAwMDAw',
  'MDAwMDAwMS5zZWcBAAAfAAAAAqU2vojkPYZqQWTuG4U6MTgwDBIPxUH3WRLQs8HJWFY3JPphLO7t3ZcuivYPMy9MpTrZxg==',
].join('');

const spool = temporaryDirectory();
after(() => rmSync(spool, { recursive: true }));

test('what a worker of an earlier version left in its journal is recovered and read', () => {
  mkdirSync(join(spool, 'journal'));
  writeFileSync(join(spool, 'journal', 'w-1.jnl'), Buffer.from(journal, 'base64'));
  const report = replayJournals(spool, masterKey);
  assert.deepEqual([report.journals, report.skippedEntries, report.tornBytes], [1, 0, 0]);
  assert.deepEqual(readdirSync(join(spool, 'journal')), []);
  const { tracks, end } = openSpool(join(spool, 'room'), 'A', masterKey);
  assert.equal(end, undefined);
  const packets = [...readTrack(tracks[0]!)].flatMap((record) =>
    record.kind === 'packet'
      ? [[record.sequenceNumber, record.rtpTime, record.payload.length, record.payload[0]]]
      : [],
  );
  assert.deepEqual(packets, [
    [0, 0, 16, 1],
    [1, 160, 16, 2],
    [2, 320, 16, 3],
  ]);
});
