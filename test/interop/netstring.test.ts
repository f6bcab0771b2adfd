import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NetstringReader, writeNetstring } from './netstring.ts';

test('netstrings come out whole, however the bytes were cut', () => {
  const bytes = Buffer.from(writeNetstring('{"a":1}') + writeNetstring('') + writeNetstring('größer'));
  for (let cut = 1; cut < bytes.length; cut++) {
    const reader = new NetstringReader();
    const texts = [...reader.push(bytes.subarray(0, cut)), ...reader.push(bytes.subarray(cut))];
    assert.deepEqual(texts, ['{"a":1}', '', 'größer']);
  }
});

test('what is no netstring is refused', () => {
  assert.throws(() => new NetstringReader().push(Buffer.from('x1:a,')), /not a netstring/);
});
