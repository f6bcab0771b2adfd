import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import { crc32Of } from './crc-32.ts';

test('it is that of zlib, of any part of any bytes, and goes on from another', () => {
  for (let length = 0; length < 100; length++) {
    const bytes = randomBytes(length + 7);
    assert.equal(crc32Of(bytes, 3, 3 + length), crc32(bytes.subarray(3, 3 + length)));
    const before = crc32(bytes.subarray(0, 3));
    assert.equal(crc32Of(bytes, 3, 3 + length, before), crc32(bytes.subarray(0, 3 + length)));
  }
});
