import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeManifest } from './manifest.ts';
import { encodeManifestLine } from './manifest-line.ts';
import type { ManifestRecord } from './records.ts';
import { testParty } from './test-spool.ts';

const records: ManifestRecord[] = [
  {
    type: 'header',
    version: 1,
    recordingId: 'A',
    conversationId: 'room',
    accountId: 'account',
    rateHz: 8000,
    originUnixMs: 1_790_000_000_000,
    startSample: 0,
    sealedKey: 'AA==',
    meta: { name: 'Zoë\n"quoted"', nested: { deep: [1, null] } },
  },
  { type: 'track', trackId: 't1', startSample: 0, party: testParty },
  { type: 'segment', segmentId: '0011223344556677', trackId: 't1', startSample: 0, wrappedKey: 'AA==' },
  { type: 'pause', atSample: 800, behaviour: 'skip' },
  { type: 'resume', atSample: 1600 },
  { type: 'track-end', trackId: 't1', endSample: 3200, packets: 20, overflowPackets: 0 },
  { type: 'end', atSample: 3200, endedUnixMs: 1_790_000_000_400, reason: 'stopped' },
];
const lines = records.map(encodeManifestLine);
const whole = Buffer.from(lines.join(''));

test('every kind of line comes back as it went in', () => {
  assert.deepEqual(decodeManifest(whole, 'here'), { records, goodBytes: whole.length });
});

test('a tail torn at any byte costs the last line and nothing else', () => {
  const before = whole.length - Buffer.byteLength(lines.at(-1)!);
  for (let length = before; length < whole.length; length++) {
    const torn = decodeManifest(whole.subarray(0, length), 'here');
    assert.equal(torn.goodBytes, before);
    assert.deepEqual(torn.records, records.slice(0, -1));
  }
});

test('zeroes behind the last line are a torn tail', () => {
  const padded = Buffer.concat([whole, Buffer.alloc(100)]);
  assert.equal(decodeManifest(padded, 'here').goodBytes, whole.length);
});

test('a damaged line with lines behind it is damage, whatever its byte', () => {
  const at = lines[0]!.length + 1;
  const damaged = Buffer.from(whole);
  damaged[at]! ^= 0x20;
  assert.throws(() => decodeManifest(damaged, 'here'), { code: 'SPOOL_CORRUPT' });
});

test('a line of an unknown form or a second header is refused', () => {
  const odd = { type: 'invoice', amount: 3 } as unknown as ManifestRecord;
  const withOdd = Buffer.from(lines[0] + encodeManifestLine(odd) + lines[1]);
  assert.throws(() => decodeManifest(withOdd, 'here'), { code: 'SPOOL_CORRUPT' });
  assert.throws(() => decodeManifest(Buffer.from(lines[0]! + lines[0]), 'here'), { code: 'SPOOL_CORRUPT' });
  assert.throws(() => decodeManifest(Buffer.from(lines[1]! + lines[2]), 'here'), { code: 'SPOOL_CORRUPT' });
  const outside = { ...records[2], segmentId: '../../../secret0' } as ManifestRecord;
  const withPath = Buffer.from(lines[0]! + lines[1] + encodeManifestLine(outside) + lines[3]);
  assert.throws(() => decodeManifest(withPath, 'here'), { code: 'SPOOL_CORRUPT' });
});
