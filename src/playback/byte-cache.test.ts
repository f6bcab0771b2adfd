import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteCache } from './byte-cache.ts';

const cacheOf = (maxBytes: number) => new ByteCache<Uint8Array>(maxBytes, ({ length }) => length);

test('what was used longest ago goes first', () => {
  const cache = cacheOf(400);
  for (const key of ['a', 'b', 'c', 'd']) cache.put(key, new Uint8Array(90));
  assert.equal(cache.get('a')?.length, 90);
  cache.put('e', new Uint8Array(90));
  assert.deepEqual(
    ['a', 'b', 'c', 'd', 'e'].filter((key) => cache.get(key)),
    ['a', 'c', 'd', 'e'],
  );
});

test('it never holds more than it may, keys included', () => {
  const cache = cacheOf(1000);
  for (let k = 0; k < 500; k++) {
    cache.put(`key ${k % 70}`.padEnd(30), new Uint8Array(k % 190));
    assert.ok(cache.bytes <= 1000, `${cache.bytes} bytes`);
  }
  assert.ok(cache.bytes > 700);
});

test('a value that is too large replaces the one of its key by nothing', () => {
  const cache = cacheOf(400);
  cache.put('a', new Uint8Array(50));
  cache.put('b', new Uint8Array(50));
  cache.put('a', new Uint8Array(101));
  assert.equal(cache.get('a'), undefined);
  assert.equal(cache.get('b')?.length, 50);
  assert.equal(cache.bytes, 52);
  cache.delete('b');
  cache.delete('b');
  assert.equal(cache.bytes, 0);
});
