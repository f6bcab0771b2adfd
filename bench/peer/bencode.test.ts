import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bdecode, bencode } from './bencode.ts';

test('what is encoded is decoded again', () => {
  const said = { command: 'offer', flags: ['a', ''], sdp: 'v=0\r\ns=é', size: -7, tags: { b: [] } };
  assert.equal(bencode(said), 'd7:command5:offer5:flagsl1:a0:e3:sdp9:v=0\r\ns=é4:sizei-7e4:tagsd1:bleee');
  assert.deepEqual(bdecode(Buffer.from(bencode(said))), said);
});

test('what is no encoding is refused', () => {
  for (const text of ['', '5:abc', 'i1', 'ixe', 'l1:a', 'd1:a', '1:ab', '-1:'])
    assert.throws(() => bdecode(Buffer.from(text)), Error, text);
});
