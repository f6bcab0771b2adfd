import assert from 'node:assert/strict';
import { test } from 'node:test';
import { packNumbers, unpackNumbers } from './packed-numbers.ts';

test('numbers come back as they were', () => {
  const counts = [0, 1, 127, 128, 129, 16_383, 16_384, 2 ** 31, Number.MAX_SAFE_INTEGER];
  const others = [-0, -1, 0.5, -1e300, 5e-324, Number.NaN, Number.POSITIVE_INFINITY, Math.PI];
  const values = Float64Array.of(...counts, ...others, 3);
  const back = new Float64Array(values.length);
  unpackNumbers(packNumbers(values), back);
  assert.deepEqual(back, values);
});

test('zeros in a row take a byte for 64 of them', () => {
  for (const zeros of [1, 2, 63, 64, 65, 129]) {
    const values = Float64Array.of(5, ...new Float64Array(zeros), 6, 0);
    const packed = packNumbers(values);
    assert.equal(packed.length, 3 + Math.ceil(zeros / 64));
    const back = new Float64Array(values.length).fill(9);
    unpackNumbers(packed, back);
    assert.deepEqual(back, values);
  }
  const mixed = Float64Array.of(0, 0, -0, 0);
  const back = new Float64Array(4).fill(9);
  unpackNumbers(packNumbers(mixed), back);
  assert.deepEqual(back, mixed);
});

test('small counts take a byte each, larger ones two', () => {
  assert.equal(packNumbers(new Float64Array(1000).fill(127)).length, 1000);
  assert.equal(packNumbers(new Float64Array(1000).fill(16_383)).length, 2000);
});

test('packed again they are where they were before, as long as there is room', () => {
  const values = new Float64Array(600).fill(7);
  const first = packNumbers(values);
  const few = Float64Array.of(1, 0.5, 300, ...new Float64Array(597));
  assert.equal(packNumbers(few, first), first);
  const back = new Float64Array(600);
  unpackNumbers(first, back);
  assert.deepEqual(back, few);
  const many = new Float64Array(600).fill(0.25);
  const larger = packNumbers(many, first);
  assert.notEqual(larger, first);
  unpackNumbers(larger, back);
  assert.deepEqual(back, many);
  unpackNumbers(first, back);
  assert.deepEqual(back, few);
});
