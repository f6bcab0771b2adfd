import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { gcmNonceBytes } from './gcm.ts';
import {
  type GroupPart,
  groupKey,
  openGroup,
  partHeaderBytes,
  sealGroup,
  writePartHeader,
} from './journal-group.ts';
import { tagBytes } from './segment.ts';

const parts: GroupPart[] = [
  { segmentId: '00112233445566aa', closed: false, position: 0, records: randomBytes(525) },
  { segmentId: 'ffeeddccbbaa9988', closed: true, position: 2 ** 40 + 5, records: Buffer.alloc(0) },
  { segmentId: '0000000000000001', closed: true, position: 17, records: randomBytes(1) },
];
const key = groupKey(randomBytes(32));

function sealed(number: number): Buffer {
  const body = Buffer.concat(
    parts.map((part) => {
      const header = Buffer.alloc(partHeaderBytes);
      const [idHigh, idLow] = [part.segmentId.slice(0, 8), part.segmentId.slice(8)].map((half) =>
        Number.parseInt(half, 16),
      ) as [number, number];
      writePartHeader(header, 0, idHigh, idLow, part.closed, part.position, part.records.length);
      return Buffer.concat([header, part.records]);
    }),
  );
  const out = Buffer.concat([body, Buffer.alloc(tagBytes)]);
  const keys = Buffer.concat([Buffer.alloc(5), key, Buffer.alloc(gcmNonceBytes, 0xff)]);
  sealGroup(keys, 5, number, out, 0, body.length);
  return out;
}

test('parts come back as they were sealed', () => {
  assert.deepEqual(openGroup(key, 7, sealed(7)), parts);
});

test('nothing opens with another key, as another entry, cut short, or with a bit altered', () => {
  const bytes = sealed(7);
  assert.equal(openGroup(groupKey(randomBytes(32)), 7, bytes), undefined);
  assert.equal(openGroup(key, 8, bytes), undefined);
  for (let length = 0; length < bytes.length; length += 31)
    assert.equal(openGroup(key, 7, bytes.subarray(0, length)), undefined);
  for (let at = 0; at < bytes.length; at += 13) {
    const altered = Buffer.from(bytes);
    altered[at]! ^= 1;
    assert.equal(openGroup(key, 7, altered), undefined);
  }
});

test("the leader's key itself is not the entry's", () => {
  const leader = randomBytes(32);
  assert.notDeepEqual(groupKey(leader), leader);
});
