import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  addToSequence,
  addToTimestamp,
  ExtendedSequence,
  ExtendedTimestamp,
  sequenceDelta,
  timestampDelta,
  toRtpTimestamp,
  toSequenceNumber,
  toSsrc,
} from './sequence.ts';

const nastySequenceNumbers = [0, 1, 127, 128, 32_767, 32_768, 65_407, 65_534, 65_535].map(toSequenceNumber);
const nastyTimestamps = [
  0,
  1,
  127,
  128,
  32_767,
  32_768,
  65_407,
  65_535,
  65_536,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 31 + 1,
  2 ** 32 - 2,
  2 ** 32 - 1,
].map(toRtpTimestamp);

describe('sequence numbers', () => {
  for (const start of nastySequenceNumbers) {
    test(`delta undoes every step from ${start}`, () => {
      for (const step of [0, 1, -1, 2, 127, -128, 1000, -1000, 32_767, -32_767, -32_768])
        assert.equal(sequenceDelta(addToSequence(start, step), start), step);
    });

    test(`half way round from ${start} is behind`, () => {
      assert.equal(sequenceDelta(addToSequence(start, 32_768), start), -32_768);
    });

    test(`200,000 packets from ${start} count on without a jump`, () => {
      const extended = new ExtendedSequence();
      for (let i = 0; i < 200_000; i++) assert.equal(extended.extend(addToSequence(start, i)), start + i);
    });

    test(`reordering around ${start} gets true places`, () => {
      const extended = new ExtendedSequence();
      const places = [0, 3, 1, 2, -2, 5, 4].map(
        (step) => extended.extend(addToSequence(start, step)) - start,
      );
      assert.deepEqual(places, [0, 3, 1, 2, -2, 5, 4]);
    });
  }

  test('a late packet does not pull the counter back', () => {
    const extended = new ExtendedSequence();
    extended.extend(toSequenceNumber(65_535));
    assert.equal(extended.extend(toSequenceNumber(2)), 65_538);
    assert.equal(extended.extend(toSequenceNumber(65_000)), 65_000);
    assert.equal(extended.extend(toSequenceNumber(3)), 65_539);
    extended.reset();
    assert.equal(extended.extend(toSequenceNumber(7)), 7);
  });
});

describe('timestamps', () => {
  for (const start of nastyTimestamps) {
    test(`delta undoes every step from ${start}`, () => {
      for (const step of [0, 1, -1, 160, -160, 65_536, 2 ** 31 - 1, -(2 ** 31 - 1), -(2 ** 31)])
        assert.equal(timestampDelta(addToTimestamp(start, step), start), step);
    });

    test(`three turns from ${start} count on without a jump`, () => {
      const extended = new ExtendedTimestamp();
      const step = 2 ** 30 + 12_345;
      for (let i = 0; i < 12; i++)
        assert.equal(extended.extend(addToTimestamp(start, i * step)), start + i * step);
      const late = 11 * step - 160;
      assert.equal(extended.extend(addToTimestamp(start, late)), start + late);
    });
  }

  test('reset starts over', () => {
    const extended = new ExtendedTimestamp();
    extended.extend(toRtpTimestamp(2 ** 32 - 1));
    assert.equal(extended.extend(toRtpTimestamp(0)), 2 ** 32);
    extended.reset();
    assert.equal(extended.extend(toRtpTimestamp(0)), 0);
  });
});

test('conversion keeps the low bits of any integer', () => {
  assert.equal(toSequenceNumber(65_536 + 5), 5);
  assert.equal(toSequenceNumber(-1), 65_535);
  assert.equal(toRtpTimestamp(2 ** 32 + 5), 5);
  assert.equal(toRtpTimestamp(-1), 2 ** 32 - 1);
  assert.equal(toRtpTimestamp(2 ** 52 + 9), 9);
  assert.equal(toSsrc(-1), 0xffff_ffff);
});
