import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readBoundedBody } from './bounded-body.ts';

async function* inChunks(bytes: Uint8Array, chunkBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
}

test('chunks of any size become one buffer of exactly their length', async () => {
  const bytes = Uint8Array.from({ length: 200_001 }, (_, k) => k % 251);
  for (const chunkBytes of [1000, 65_536, 65_537, 300_000]) {
    const body = await readBoundedBody(inChunks(bytes, chunkBytes), bytes.length);
    assert.ok(body && Buffer.from(bytes).equals(body));
    assert.equal(body.buffer.byteLength, bytes.length);
    assert.equal(body.buffer.resizable, false);
  }
  assert.equal((await readBoundedBody(inChunks(new Uint8Array(0), 1), 10))?.length, 0);
});

test('reading stops at the limit', async () => {
  let given = 0;
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) {
      given++;
      yield new Uint8Array(1000);
    }
  }
  assert.equal(await readBoundedBody(endless(), 5500), undefined);
  assert.equal(given, 6);
});
