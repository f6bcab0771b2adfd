import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readUint16, readUint32, writeUint32, writeUint48 } from './big-endian.ts';

test('numbers stand as Buffer writes them', () => {
  const [found, expected] = [Buffer.alloc(12, 0xaa), Buffer.alloc(12, 0xaa)];
  for (const value of [0, 1, 0x7fff_ffff, 0x8000_0000, 0x1234_5678, 0xffff_ffff]) {
    writeUint32(found, 3, value);
    expected.writeUInt32BE(value, 3);
    assert.deepEqual(found, expected);
    writeUint32(found, 3, value | 0);
    assert.deepEqual(found, expected);
    assert.deepEqual([readUint32(found, 3), readUint16(found, 3)], [value, value >>> 16]);
  }
  for (const value of [0, 0xffff_ffff, 2 ** 32, 0x1234_5678_9abc, 0x8000_0000_0001, 2 ** 48 - 1]) {
    writeUint48(found, 3, value);
    expected.writeUIntBE(value, 3, 6);
    assert.deepEqual(found, expected);
  }
});
