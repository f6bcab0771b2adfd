import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Limiter } from '../../src/audio/limiter.ts';
import { noise } from '../../src/testkit/noise.ts';
import { ChannelSum } from './verify-mix.ts';

const rateHz = 8000;
const length = 5 * rateHz;
const quiet = [5, 6, 7].map((seed) => noise({ samples: length, seed, levelDbov: -24 }));
const loud = [5, 6, 7].map((seed) => noise({ samples: length, seed, levelDbov: -8 }));

function sumOf(channels: readonly Int16Array[], startSample = 0): ChannelSum {
  const sum = new ChannelSum(startSample, length);
  for (const channel of channels) sum.add(channel, startSample);
  return sum;
}

/** As the product mixes them, in a recording that begins so many samples behind its conversation. */
function mixOf(channels: readonly Int16Array[], startSample = 0): Int16Array {
  const sums = new Int32Array(length);
  for (const channel of channels) for (const [i, sample] of channel.entries()) sums[i]! += sample;
  const limiter = new Limiter(rateHz, startSample);
  const out = new Int16Array(limiter.maxOutput(length));
  const written = limiter.push(sums, out);
  return out.subarray(0, written + limiter.flush(out, written));
}

test('the sum of the channels, as it is and where it is too loud', () => {
  assert.deepEqual(sumOf(quiet).verify(mixOf(quiet)), { wrongSamples: 0, tooLoudSamples: 0 });
  for (const startSample of [0, 33, 160, 1279]) {
    const { wrongSamples, tooLoudSamples } = sumOf(loud, startSample).verify(mixOf(loud, startSample));
    assert.equal(wrongSamples, 0);
    assert.ok(tooLoudSamples > 1000);
  }
});

for (const [how, channels] of Object.entries({ quiet, loud })) {
  const [first, second, third] = channels as [Int16Array, Int16Array, Int16Array];
  const shifted = new Int16Array(length);
  shifted.set(third.subarray(0, length - 160), 160);
  const faults = {
    'somebody is missing': [first, second],
    'somebody is in it twice': [first, second, third, third],
    'somebody is 20 ms late': [first, second, shifted],
    'somebody is quieter': [first, second, third.map((sample) => sample * 0.9)],
    'nobody is in it': [],
  };
  for (const [what, mixed] of Object.entries(faults))
    test(`${how}: ${what}`, () => {
      assert.ok(sumOf(channels).verify(mixOf(mixed)).wrongSamples > length / 2);
    });

  test(`${how}: 20 ms late, quieter, too short or too long as a whole`, () => {
    const mix = mixOf(channels);
    const sum = sumOf(channels);
    const late = new Int16Array(length);
    late.set(mix.subarray(0, length - 160), 160);
    assert.ok(sum.verify(late).wrongSamples > length / 2);
    assert.ok(sum.verify(mix.map((sample) => sample * 0.5)).wrongSamples > length / 2);
    assert.equal(sum.verify(mix.subarray(0, length - 800)).wrongSamples, 800);
    const longer = new Int16Array(length + 80);
    longer.set(mix);
    assert.equal(sum.verify(longer).wrongSamples, 80);
  });
}

test('channels that begin later and end sooner', () => {
  const sum = new ChannelSum(1000, length);
  const late = loud[1]!.subarray(0, length - 1234);
  sum.add(loud[0]!, 1000);
  sum.add(late, 1034);
  const placed = new Int16Array(length);
  placed.set(late, 34);
  const mix = mixOf([loud[0]!, placed], 1000);
  assert.equal(sum.verify(mix).wrongSamples, 0);
  assert.throws(() => sum.add(late, 999), RangeError);
  assert.throws(() => sum.add(late, 1000 + 1235), RangeError);
});
