import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mergeByTime, type TimedSource } from './merge-by-time.ts';

const opened: string[] = [];
const ended: string[] = [];

function source(
  name: string,
  fromUnixUs: number,
  moments: number[],
): TimedSource<{ atUnixUs: number; name: string }> {
  return {
    fromUnixUs,
    *open() {
      opened.push(name);
      try {
        for (const atUnixUs of moments) yield { atUnixUs, name };
      } finally {
        ended.push(name);
      }
    },
  };
}

test('items come by their moments, of equal ones those of the earlier source first', () => {
  const merged = [
    ...mergeByTime([
      source('a', 0, [1, 4, 4, 9]),
      source('b', 2, [4, 5]),
      source('c', 3, []),
      source('d', 9, [9]),
    ]),
  ].map(({ atUnixUs, name }) => `${name}${atUnixUs}`);
  assert.deepEqual(merged, ['a1', 'a4', 'b4', 'a4', 'b5', 'a9', 'd9']);
});

test('a source is opened when its beginning is reached, and closed with the whole', () => {
  opened.length = 0;
  ended.length = 0;
  const merged = mergeByTime([
    source('early', 0, [1, 2, 8]),
    source('late', 5, [6]),
    source('never', 50, [51]),
  ]);
  assert.equal(merged.next().value?.atUnixUs, 1);
  assert.equal(merged.next().value?.atUnixUs, 2);
  assert.deepEqual(opened, ['early']);
  assert.equal(merged.next().value?.atUnixUs, 6);
  assert.deepEqual(opened, ['early', 'late']);
  merged.return(undefined);
  assert.deepEqual(ended.toSorted(), ['early', 'late']);
});
