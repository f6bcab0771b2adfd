import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RenditionCache, sliceChunks } from './rendition-cache.ts';

const file = (bytes: number): Uint8Array[] => [new Uint8Array(bytes)];

test('the file not used for longest goes first', () => {
  const cache = new RenditionCache(40);
  for (const key of ['a', 'b', 'c', 'd']) cache.put(key, file(10));
  assert.ok(cache.get('a'));
  cache.put('e', file(10));
  assert.ok(cache.get('a'));
  assert.equal(cache.get('b'), undefined);
  assert.ok(cache.get('e'));
});

test('a file of more than a quarter of the cache is not kept', () => {
  const cache = new RenditionCache(40);
  cache.put('a', file(11));
  assert.equal(cache.get('a'), undefined);
});

test('putting a file twice counts it once', () => {
  const cache = new RenditionCache(40);
  for (let round = 0; round < 10; round++) cache.put('a', file(10));
  for (const key of ['b', 'c', 'd']) cache.put(key, file(10));
  assert.ok(cache.get('a'));
});

test('what is kept of one recording is dropped, and its room is free', () => {
  const cache = new RenditionCache(40);
  for (const key of ['a/mix', 'a/left', 'ab/mix', 'b/mix']) cache.put(key, file(10));
  cache.drop('a');
  assert.deepEqual([cache.get('a/mix'), cache.get('a/left')], [undefined, undefined]);
  for (const key of ['c/mix', 'd/mix']) cache.put(key, file(10));
  for (const key of ['ab/mix', 'b/mix', 'c/mix', 'd/mix']) assert.ok(cache.get(key), key);
});

test('every slice of chunks is the slice of the whole', () => {
  const chunks = [Uint8Array.of(0, 1, 2), Uint8Array.of(3), Uint8Array.of(4, 5, 6, 7)];
  const whole = chunks.flatMap((chunk) => [...chunk]);
  for (let from = 0; from <= 8; from++)
    for (let to = from; to <= 9; to++)
      assert.deepEqual(
        [...sliceChunks(chunks, from, to)].flatMap((chunk) => [...chunk]),
        whole.slice(from, to),
      );
});
