import assert from 'node:assert/strict';
import { test } from 'node:test';
import { putUint32, putUint48 } from './big-endian.ts';

test('numbers stand as Buffer writes them', () => {
  const [found, expected] = [Buffer.alloc(12, 0xaa), Buffer.alloc(12, 0xaa)];
  for (const value of [0, 1, 0x7fff_ffff, 0x8000_0000, 0x1234_5678, 0xffff_ffff]) {
    putUint32(found, 3, value);
    expected.writeUInt32BE(value, 3);
    assert.deepEqual(found, expected);
  }
  for (const value of [0, 0xffff_ffff, 2 ** 32, 0x1234_5678_9abc, 0x8000_0000_0001, 2 ** 48 - 1]) {
    putUint48(found, 3, value);
    expected.writeUIntBE(value, 3, 6);
    assert.deepEqual(found, expected);
  }
});
