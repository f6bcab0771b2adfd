import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { appendFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Secret } from '../secret.ts';
import { KeptDescriptors } from './kept-descriptors.ts';
import { overflowBytes, writeOverflow } from './record-codec.ts';
import { chunkData, chunkEnd, sealChunk, segmentHeader } from './segment.ts';
import { SegmentReader } from './segment-reader.ts';
import { temporaryDirectory } from './test-spool.ts';

const directory = temporaryDirectory();
after(() => rmSync(directory, { recursive: true }));
const path = join(directory, 'segment');
const id = '0123456789abcdef';
const key = randomBytes(32);
const header = segmentHeader(id);

function body(...marks: number[]): Buffer {
  const bytes = Buffer.alloc(overflowBytes * marks.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  for (const [index, packets] of marks.entries())
    writeOverflow(view, index * overflowBytes, { packets, arrivalUs: 0 });
  return bytes;
}

const chunks = [
  sealChunk(key, header, 0, chunkData, body(1, 2)),
  sealChunk(key, header, 1, chunkData, body(3)),
  sealChunk(key, header, 2, chunkData, body(4, 5)),
  sealChunk(key, header, 3, chunkEnd, Buffer.alloc(0)),
];
const whole = Buffer.concat([header, ...chunks]);

function read(bytes: Uint8Array): { marks: number[]; isComplete: boolean } {
  writeFileSync(path, bytes);
  const reader = new SegmentReader(path, id, new Secret(key));
  return { marks: take(reader), isComplete: reader.isComplete };
}

function take(reader: SegmentReader, marks: number[] = []): number[] {
  for (const record of reader.records()) if (record.kind === 'overflow') marks.push(record.packets);
  return marks;
}

test('a closed segment is read to its marker', () => {
  assert.deepEqual(read(whole), { marks: [1, 2, 3, 4, 5], isComplete: true });
});

test('a file cut at any byte gives every whole chunk before it', () => {
  const borders = [16, ...chunks].map(
    (_, index) => Buffer.concat([header, ...chunks.slice(0, index)]).length,
  );
  const marksAfter = [[], [1, 2], [1, 2, 3], [1, 2, 3, 4, 5], [1, 2, 3, 4, 5]];
  for (let length = 0; length < whole.length; length++) {
    const wholeChunks = borders.filter((border) => border <= length).length - 1;
    const expected = { marks: marksAfter[Math.max(0, wholeChunks)]!, isComplete: false };
    assert.deepEqual(read(whole.subarray(0, length)), expected, `${length} bytes`);
  }
});

test('zeroes in place of the tail are a torn tail, from any chunk', () => {
  const length = header.length + chunks[0]!.length + chunks[1]!.length;
  const zeroed = Buffer.alloc(whole.length);
  whole.copy(zeroed, 0, 0, length);
  assert.deepEqual(read(zeroed), { marks: [1, 2, 3], isComplete: false });
  assert.deepEqual(read(Buffer.alloc(100)), { marks: [], isComplete: false });
});

test('every altered byte is damage, and what is before it is given', () => {
  for (let at = 0; at < whole.length; at++) {
    const altered = Buffer.from(whole);
    altered[at]! ^= 0x40;
    writeFileSync(path, altered);
    const marks: number[] = [];
    const reader = new SegmentReader(path, id, new Secret(key));
    assert.throws(() => take(reader, marks), { code: 'SPOOL_CORRUPT' }, `byte ${at}`);
    assert.deepEqual(marks, [1, 2, 3, 4, 5].slice(0, marks.length));
  }
});

test('chunks left out, swapped, repeated or from another segment are damage', () => {
  const [a, b, c, end] = chunks as [Buffer, Buffer, Buffer, Buffer];
  const foreign = sealChunk(key, segmentHeader('fedcba9876543210'), 1, chunkData, body(9));
  for (const order of [[a, c, end], [b, a, c, end], [a, a, b, c], [a, b, b, c], [a, foreign, c, end], [end]])
    assert.throws(() => read(Buffer.concat([header, ...order])), { code: 'SPOOL_CORRUPT' });
  assert.throws(() => read(Buffer.concat([segmentHeader('fedcba9876543210'), a])), { code: 'SPOOL_CORRUPT' });
});

test('a reader goes on where it stopped while the file grows, byte by byte', () => {
  writeFileSync(path, '');
  const reader = new SegmentReader(path, id, new Secret(key));
  const marks: number[] = [];
  for (const byte of whole) {
    appendFileSync(path, Uint8Array.of(byte));
    take(reader, marks);
  }
  assert.deepEqual(marks, [1, 2, 3, 4, 5]);
  assert.ok(reader.isComplete);
  assert.deepEqual(take(reader), []);
});

test('a file that is kept open is read on as it grows, until it is released; without room it is opened anew', () => {
  for (const room of [1, 0]) {
    writeFileSync(path, header);
    const files = new KeptDescriptors(room);
    const reader = new SegmentReader(path, id, new Secret(key), { files });
    assert.deepEqual(take(reader), []);
    const { fd } = reader;
    assert.deepEqual([fd !== undefined, files.count], [room === 1, room]);
    const marks: number[] = [];
    for (const chunk of chunks) {
      appendFileSync(path, chunk);
      take(reader, marks);
      assert.deepEqual([reader.fd, files.count, reader.seenBytes], [fd, room, statSync(path).size]);
    }
    assert.deepEqual([marks, reader.isComplete], [[1, 2, 3, 4, 5], true]);
    reader.release();
    reader.release();
    assert.deepEqual([reader.fd, files.count], [undefined, 0]);
  }
});

test('a segment that is not settled yet is empty', () => {
  const reader = new SegmentReader(join(directory, 'none'), id, new Secret(key));
  assert.deepEqual([take(reader), reader.newestUs], [[], 0]);
});

/** Each arrived as many us as it says. */
const timed = [
  sealChunk(key, header, 0, chunkData, arrivals(10, 20)),
  sealChunk(key, header, 1, chunkData, arrivals(30)),
  sealChunk(key, header, 2, chunkData, arrivals(40, 50)),
  sealChunk(key, header, 3, chunkEnd, Buffer.alloc(0)),
];

function arrivals(...times: number[]): Buffer {
  const bytes = body(...times);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  for (const [index, arrivalUs] of times.entries())
    writeOverflow(view, index * overflowBytes, { packets: arrivalUs, arrivalUs });
  return bytes;
}

test('what arrived too late is left for later', () => {
  writeFileSync(path, Buffer.concat([header, ...timed]));
  const reader = new SegmentReader(path, id, new Secret(key));
  const until = (untilUs?: number) =>
    [...reader.records(untilUs)].map((record) => (record as { arrivalUs: number }).arrivalUs);
  assert.deepEqual([until(10), until(11), until(30), until(30)], [[], [10], [20], []]);
  assert.deepEqual([reader.isComplete, reader.isHolding], [false, true]);
  assert.deepEqual([until(41), until(41)], [[30, 40], []]);
  assert.deepEqual([until(), reader.isHolding], [[50], false]);
  assert.ok(reader.isComplete);
});

test('who reads some of it knows when the last record of the whole chunks arrived', () => {
  const bytes = Buffer.concat([header, ...timed]);
  for (const untilUs of [0, 20, 31, 1000]) {
    const found: number[] = [];
    writeFileSync(path, '');
    const reader = new SegmentReader(path, id, new Secret(key));
    for (const byte of bytes) {
      appendFileSync(path, Uint8Array.of(byte));
      while (reader.next(untilUs));
      if (reader.newestUs !== (found.at(-1) ?? 0)) found.push(reader.newestUs);
    }
    assert.deepEqual(found, [20, 30, 50]);
  }
  const newest = (content: Uint8Array): number => {
    writeFileSync(path, content);
    const reader = new SegmentReader(path, id, new Secret(key));
    assert.equal(reader.next(0), undefined);
    return reader.newestUs;
  };
  const half = bytes.length - timed[3]!.length - 1;
  assert.deepEqual([newest(bytes), newest(bytes.subarray(0, half))], [50, 30]);
  const damaged = Buffer.from(bytes);
  damaged[half]! ^= 1;
  assert.equal(newest(damaged), 20);
});

test('files of earlier versions are read, a later version is refused', () => {
  const ofVersion = (version: number): Buffer => {
    const head = Buffer.from(header);
    head[4] = version;
    const sealed = [
      sealChunk(key, head, 0, chunkData, body(1, 2)),
      sealChunk(key, head, 1, chunkEnd, Buffer.alloc(0)),
    ];
    return Buffer.concat([head, ...sealed]);
  };
  assert.equal(header[4], 3, 'what is written now');
  for (const version of [1, 2])
    assert.deepEqual(read(ofVersion(version)), { marks: [1, 2], isComplete: true });
  for (const version of [0, 4]) assert.throws(() => read(ofVersion(version)), { code: 'SPOOL_CORRUPT' });
});
