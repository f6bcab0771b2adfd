import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import {
  assertSegmentHeader,
  chunkData,
  chunkEnd,
  openChunk,
  parseChunkHeader,
  sealChunk,
  segmentHeader,
  segmentHeaderBytes,
} from './segment.ts';

const key = randomBytes(32);
const header = segmentHeader('00112233445566aa');
const body = Buffer.from('what the party said');

test('a chunk opens with its key, in its segment', () => {
  const chunk = sealChunk(key, header, 7, chunkData, body);
  assert.equal(chunk.length, 28 + body.length);
  assert.deepEqual(openChunk(key, header, chunk), body);
  const parsed = { kind: chunkData, recovered: false, bodyBytes: body.length, chunkNumber: 7 };
  assert.deepEqual(parseChunkHeader(chunk), parsed);
  assert.equal(chunk.indexOf(body.subarray(0, 8)), -1);
});

test('a chunk that a recovery sealed is another one', () => {
  const [chunk, recovered] = [false, true].map((by) => sealChunk(key, header, 7, chunkData, body, by)) as [
    Buffer,
    Buffer,
  ];
  assert.deepEqual(openChunk(key, header, recovered), body);
  assert.equal(parseChunkHeader(recovered)?.recovered, true);
  assert.notDeepEqual(recovered.subarray(12, 12 + body.length), chunk.subarray(12, 12 + body.length));
  chunk.copy(recovered, 12, 12);
  assert.equal(openChunk(key, header, recovered), undefined);
});

test('every flipped bit of a chunk is noticed', () => {
  const chunk = sealChunk(key, header, 7, chunkData, body);
  for (let at = 0; at < chunk.length; at++) {
    const altered = Buffer.from(chunk);
    altered[at]! ^= 1 << (at % 8);
    assert.equal(openChunk(key, header, altered), undefined, `byte ${at}`);
  }
});

test('a chunk of another segment, key or kind does not open', () => {
  const chunk = sealChunk(key, header, 7, chunkData, body);
  assert.equal(openChunk(key, segmentHeader('00112233445566ab'), chunk), undefined);
  assert.equal(openChunk(randomBytes(32), header, chunk), undefined);
  const end = sealChunk(key, header, 7, chunkEnd, Buffer.alloc(0));
  const asData = sealChunk(key, header, 7, chunkData, Buffer.alloc(0));
  end.copy(asData, 12, 12);
  assert.equal(openChunk(key, header, asData), undefined);
});

test('the header names version, cipher and segment', () => {
  assert.equal(header.length, segmentHeaderBytes);
  assert.equal(header.toString('hex'), '435253470301000000112233445566aa');
  assertSegmentHeader(header, '00112233445566aa', 'here');
  assert.throws(() => assertSegmentHeader(header, 'ff112233445566aa', 'here'), { code: 'SPOOL_CORRUPT' });
  assert.throws(() => segmentHeader('../../etc/passwd'), TypeError);
});
