import assert from 'node:assert/strict';
import { test } from 'node:test';
import { maxEarlyUs } from './early-packets.ts';
import { EarlyWords, maxJoiningUs } from './early-words.ts';

const called = { awaitsAnswer: true, joinsAtAnswer: false };
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
  const words = new EarlyWords(called);
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
    const words = new EarlyWords(called);
    words.hold(datagram(1000));
    words.agreed(2000);
    if (isRecorded) words.record(3000);
    const given: number[] = [];
    const expireAt = (us: number) => words.expire(us, ({ arrivalUs }) => given.push(arrivalUs));
    for (let us = 2000; us < 2000 + maxEarlyUs; us += 20_000) expireAt(us);
    expireAt(1999 + maxEarlyUs);
    assert.equal(given.length, 0);
    assert.equal(words.hold(datagram(1999 + maxEarlyUs)), true);
    expireAt(2000 + maxEarlyUs);
    assert.deepEqual(given, isRecorded ? [1000, 1999 + maxEarlyUs] : [1999 + maxEarlyUs]);
    assert.equal(words.hold(datagram(2001 + maxEarlyUs)), false);
  }
});

test('time in which the thread was held up does not count', () => {
  const secondsUs = 1_000_000;
  const held = (): EarlyWords => {
    const words = new EarlyWords(called);
    words.hold(datagram(1000));
    words.agreed(2000);
    for (let us = 2000; us <= 102_000; us += 20_000) words.expire(us, () => assert.fail('too early'));
    // Held up for 3 s: all this is read at once behind it.
    for (const us of [200_000, secondsUs, 2 * secondsUs, 3 * secondsUs])
      assert.equal(words.hold(datagram(us)), true);
    return words;
  };
  const arrivals = [1000, 200_000, secondsUs, 2 * secondsUs, 3 * secondsUs];
  assert.deepEqual(admitted(held(), 3_102_000), arrivals);
  const words = held();
  for (let us = 3_102_000; us < 3_400_000; us += 20_000) words.expire(us, () => assert.fail('too early'));
  assert.equal(words.sinceUs(3_400_000), 1000);
  assert.deepEqual(admitted(words, 3_400_000), arrivals);
  const unheard = held();
  const given: number[] = [];
  for (let us = 3_102_000; us < 4_000_000; us += 20_000)
    unheard.expire(us, ({ arrivalUs }) => given.push(arrivalUs));
  // As without it: whatever is older than `maxEarlyUs` is nobody's.
  assert.deepEqual(given, arrivals.slice(1));
});

test('whoever joins at the answer is heard from it on, however late the server is with it', () => {
  const words = new EarlyWords({ awaitsAnswer: true, joinsAtAnswer: true });
  const ofAnswerUs = 10_000_000;
  const lastUs = ofAnswerUs + maxJoiningUs - 1;
  for (const us of [1000, ofAnswerUs - maxEarlyUs - 1, ofAnswerUs - maxEarlyUs]) words.hold(datagram(us));
  words.agreed(ofAnswerUs);
  words.hold(datagram(ofAnswerUs + 1));
  for (let us = ofAnswerUs; us < lastUs; us += 20_000) words.expire(us, () => assert.fail('too early'));
  assert.equal(words.hold(datagram(lastUs)), true);
  const said = [ofAnswerUs - maxEarlyUs, ofAnswerUs + 1, lastUs];
  assert.equal(words.sinceUs(lastUs), said[0]);
  assert.deepEqual(admitted(words, lastUs), said);
});

test('whoever was to join at the answer and did not is heard without it', () => {
  const words = new EarlyWords({ awaitsAnswer: true, joinsAtAnswer: true });
  words.agreed(0);
  words.hold(datagram(1));
  const given: number[] = [];
  for (let us = 0; us <= maxJoiningUs; us += 20_000) {
    words.hold(datagram(us));
    words.expire(us, ({ arrivalUs }) => given.push(arrivalUs));
  }
  const keptFromUs = maxJoiningUs - maxEarlyUs;
  assert.deepEqual([given[0], given.at(-1), given.length], [keptFromUs, maxJoiningUs, 31]);
  assert.equal(words.hold(datagram(maxJoiningUs)), false);
});

test('there are none of a leg that called', () => {
  const words = new EarlyWords({ awaitsAnswer: false, joinsAtAnswer: false });
  words.agreed(0);
  assert.equal(words.hold(datagram(1)), false);
  assert.equal(words.sinceUs(5), 5);
});
