import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BlockPool, GatheredBytes } from './gathered-bytes.ts';

const pattern = (bytes: number, seed: number): Buffer =>
  Buffer.from(Uint8Array.from({ length: bytes }, (_, at) => (at * 7 + seed) & 0xff));

test('bytes come back as they were added, from any position, across blocks and after having been emptied', () => {
  const pool = new BlockPool();
  const [first, second] = [new GatheredBytes(pool), new GatheredBytes(pool)];
  for (const round of [1, 2]) {
    const added: Buffer[] = [];
    for (const bytes of [1, 175, 4096, 0, 3920, 10_000, 4095]) {
      added.push(pattern(bytes, bytes + round));
      first.add(added.at(-1)!);
      second.add(pattern(bytes, 99));
    }
    const whole = Buffer.concat(added);
    assert.equal(first.length, whole.length);
    for (const from of [0, 1, 4095, 4096, 4097, 12_288, whole.length - 1, whole.length]) {
      const out = Buffer.alloc(whole.length - from + 3);
      assert.equal(first.copyTo(out, 3, from), out.length);
      assert.deepEqual(out.subarray(3), whole.subarray(from));
    }
    first.clear();
    assert.equal(first.length, 0);
  }
});
