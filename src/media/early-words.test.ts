import assert from 'node:assert/strict';
import { test } from 'node:test';
import { maxEarlyUs } from './early-packets.ts';
import { EarlyWords } from './early-words.ts';

const datagram = (arrivalUs: number) => ({
  data: Uint8Array.of(1),
  ...{ arrivalUs, sourceAddress: '192.0.2.1', sourcePort: 4000 },
});
const admitted = (words: EarlyWords, nowUs: number): number[] => {
  const arrivals: number[] = [];
  words.admit(nowUs, ({ arrivalUs }) => arrivals.push(arrivalUs));
  return arrivals;
};

test('are kept until they can be read, and given once', () => {
  const words = new EarlyWords(true);
  assert.equal(words.hold(datagram(1000)), true);
  assert.deepEqual(admitted(words, 1000), []);
  assert.equal(words.sinceUs(2000), 2000);
  words.agreed(2000);
  assert.equal(words.hold(datagram(3000)), true);
  assert.equal(words.sinceUs(4000), 1000);
  assert.deepEqual(admitted(words, 4000), [1000, 3000]);
  assert.equal(words.hold(datagram(5000)), false);
  assert.equal(words.sinceUs(6000), 6000);
});

test('wait for a moment only, but what is recorded does not grow too old', () => {
  for (const isRecorded of [false, true]) {
    const words = new EarlyWords(true);
    words.hold(datagram(1000));
    words.agreed(2000);
    if (isRecorded) words.record(3000);
    assert.equal(words.hold(datagram(2000 + maxEarlyUs)), false);
    const given: number[] = [];
    words.expire(1999 + maxEarlyUs, ({ arrivalUs }) => given.push(arrivalUs));
    assert.equal(given.length, 0);
    words.expire(2000 + maxEarlyUs, ({ arrivalUs }) => given.push(arrivalUs));
    assert.deepEqual(given, isRecorded ? [1000] : []);
  }
});

test('there are none of a leg that called', () => {
  const words = new EarlyWords(false);
  words.agreed(0);
  assert.equal(words.hold(datagram(1)), false);
  assert.equal(words.sinceUs(5), 5);
});
