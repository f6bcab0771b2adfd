import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Chunk, maxDatagramBytes, SendBatch } from './send-batch.ts';

function fill(batch: SendBatch<string>, bytes: number, value: number): void {
  batch.reserve(maxDatagramBytes).fill(value);
  batch.commit('a', bytes, '192.0.2.1', 4000);
}

function drainInto(batch: SendBatch<string>): { value: number | undefined; bytes: number; chunk: Chunk }[] {
  const sent: { value: number | undefined; bytes: number; chunk: Chunk }[] = [];
  batch.drain(({ chunk, offset, bytes }) => sent.push({ value: chunk.bytes[offset], bytes, chunk }));
  return sent;
}

describe('send batch', () => {
  test('keeps order and bytes over many chunks', () => {
    const batch = new SendBatch<string>(() => {});
    for (let i = 0; i < 200; i++) fill(batch, 1500, i);
    assert.deepEqual(
      drainInto(batch).map(({ value, bytes }) => [value, bytes]),
      Array.from({ length: 200 }, (_, i) => [i, 1500]),
    );
    assert.deepEqual(drainInto(batch), []);
  });

  test('a chunk is used again only when all its datagrams are done', () => {
    const results: (Error | null)[] = [];
    const batch = new SendBatch<string>((error) => results.push(error));
    fill(batch, 10, 1);
    fill(batch, 10, 2);
    const [first, second] = drainInto(batch);
    assert.equal(first!.chunk, second!.chunk);
    fill(batch, 10, 3);
    const [third] = drainInto(batch);
    assert.notEqual(third!.chunk, first!.chunk);
    assert.equal(first!.chunk.bytes[0], 1);
    first!.chunk.done(null);
    second!.chunk.done(new Error('refused'));
    assert.deepEqual(
      results.map((error) => error?.message),
      [undefined, 'refused'],
    );
    fill(batch, 10, 4);
    assert.equal(drainInto(batch)[0]!.chunk, first!.chunk);
  });

  test('memory of a chunk is written to by the same views each time', () => {
    const batch = new SendBatch<string>(() => {});
    const round = () => {
      const views = [10, 300, 172].map((bytes) => {
        const view = batch.reserve(bytes);
        batch.commit('a', bytes, '192.0.2.1', 4000);
        return view;
      });
      batch.drain(({ chunk }) => chunk.done(null));
      return views;
    };
    const views = round();
    assert.equal(new Set(views).size, 3);
    for (const [index, view] of round().entries()) assert.equal(view, views[index]);
  });

  test('a drain says whether datagrams of an earlier one are not done', () => {
    const batch = new SendBatch<string>(() => {});
    const told: [drain: number, hasBacklog: boolean][] = [];
    const chunks: Chunk[] = [];
    for (let drain = 0; drain < 3; drain++) {
      fill(batch, 10, 1);
      batch.drain(({ chunk }, number, hasBacklog) => {
        told.push([number, hasBacklog]);
        chunks.push(chunk);
      });
      if (drain === 1) for (const chunk of chunks) chunk.done(null);
    }
    assert.deepEqual(told, [
      [1, false],
      [2, true],
      [3, false],
    ]);
  });

  test('a kernel that takes nothing costs datagrams, not memory', () => {
    let failed = 0;
    const batch = new SendBatch<string>((error) => (failed += error ? 1 : 0));
    for (let i = 0; i < 9000; i++) fill(batch, maxDatagramBytes, 7);
    const queued = drainInto(batch);
    assert.equal(queued.length, 8192);
    assert.equal(failed, 9000 - queued.length);
    assert.equal(batch.waiting, queued.length);
    for (const { chunk } of queued) chunk.done(null);
    fill(batch, 10, 1);
    assert.equal(batch.waiting, 0, 'what is written into now does not wait');
  });

  test('what came while the thread stood still for a second is sent, and its memory given back', () => {
    const results: (Error | null)[] = [];
    const batch = new SendBatch<string>((error) => results.push(error));
    const packetBytes = 172;
    const burst = (packets: number): Chunk[] => {
      for (let i = 0; i < packets; i++) {
        batch.reserve(packetBytes).fill(i);
        batch.commit('a', packetBytes, '192.0.2.1', 4000);
      }
      return drainInto(batch).map(({ chunk }) => chunk);
    };
    const ofBurst = burst(50_000);
    assert.equal(ofBurst.length, 50_000);
    for (const chunk of ofBurst) chunk.done(null);
    assert.deepEqual(new Set(results), new Set([null]));
    for (const chunk of burst(1)) chunk.done(null);
    const known = new Set(ofBurst);
    const again = new Set(burst(8192));
    assert.equal([...again].filter((chunk) => known.has(chunk)).length, 16);
  });

  test('a reservation that is not committed costs nothing; an oversized one is refused', () => {
    const batch = new SendBatch<string>(() => {});
    batch.reserve(100).fill(9);
    fill(batch, 3, 1);
    assert.deepEqual(
      drainInto(batch).map(({ value }) => value),
      [1],
    );
    assert.throws(() => batch.reserve(maxDatagramBytes + 1), RangeError);
    assert.throws(() => batch.reserve(Number.NaN), RangeError);
  });
});
