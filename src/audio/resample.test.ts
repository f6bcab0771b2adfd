import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { goertzelDbov } from './goertzel.ts';
import { rmsDbov } from './level.ts';
import { Resampler, resample, resampledLength } from './resample.ts';
import { tone } from './tone.ts';

const ratios = [
  [8000, 16_000],
  [8000, 48_000],
  [16_000, 8000],
  [16_000, 48_000],
  [48_000, 8000],
  [48_000, 16_000],
  [44_100, 8000],
] as const;

const levelDbov = -10;

/** A second from the middle, away from the edges. */
function middle(samples: Int16Array, rateHz: number): Int16Array {
  return samples.subarray(rateHz / 2, rateHz / 2 + rateHz);
}

function noise(samples: number): Int16Array {
  let state = 1;
  return Int16Array.from({ length: samples }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return state >> 17;
  });
}

function stream(resampler: Resampler, samples: Int16Array, sizes: number[]): Int16Array {
  const out = new Int16Array(resampledLength(samples.length, resampler.fromHz, resampler.toHz) + 1000);
  let written = 0;
  let read = 0;
  for (let i = 0; read < samples.length; i++) {
    const block = samples.subarray(read, read + sizes[i % sizes.length]!);
    read += block.length;
    const room = out.subarray(written, written + resampler.maxOutput(block.length));
    written += resampler.push(block, room);
  }
  written += resampler.flush(out.subarray(written, written + resampler.maxOutput(0)));
  return out.subarray(0, written);
}

for (const [fromHz, toHz] of ratios) {
  describe(`${fromHz} -> ${toHz} Hz`, () => {
    const lowerHz = Math.min(fromHz, toHz);

    for (const share of [0.01, 0.1, 0.25, 0.4, 0.42]) {
      const frequencyHz = share * lowerHz;
      test(`a tone of ${frequencyHz} Hz keeps its level; everything else is at least 60 dB down`, () => {
        const input = tone({ rateHz: fromHz, frequencyHz, levelDbov }, 2 * fromHz);
        const output = middle(resample(input, fromHz, toHz), toHz);
        assert.ok(Math.abs(goertzelDbov(output, { rateHz: toHz, frequencyHz }) - levelDbov) < 0.1);
        const pure = middle(tone({ rateHz: toHz, frequencyHz, levelDbov }, 2 * toHz), toHz);
        const gain = 10 ** ((goertzelDbov(output, { rateHz: toHz, frequencyHz }) - levelDbov) / 20);
        const rest = output.map((sample, i) => Math.round(sample - gain * pure[i]!));
        assert.ok(rmsDbov(rest) < levelDbov - 60, `${rmsDbov(rest)} dBov`);
      });
    }

    if (toHz < fromHz)
      test('what the lower rate cannot hold is at least 60 dB down', () => {
        for (const share of [0.58, 0.7, 0.99]) {
          const input = tone({ rateHz: fromHz, frequencyHz: share * toHz, levelDbov }, 2 * fromHz);
          const left = rmsDbov(middle(resample(input, fromHz, toHz), toHz));
          assert.ok(left < levelDbov - 60, `${share}: ${left} dBov`);
        }
      });

    test('the length is exact for every input length', () => {
      for (let samples = 0; samples < 50; samples++) {
        const expected = Math.ceil((samples * toHz) / fromHz);
        assert.equal(resample(noise(samples), fromHz, toHz).length, expected);
        assert.equal(stream(new Resampler(fromHz, toHz), noise(samples), [7]).length, expected);
      }
      assert.equal(resample(noise(fromHz), fromHz, toHz).length, toHz);
    });

    test('streamed in blocks of any size it gives the same bytes', () => {
      const input = noise(5000);
      const whole = resample(input, fromHz, toHz);
      for (const sizes of [[160], [1, 2, 3], [4999, 1], [960, 17]])
        assert.deepEqual(stream(new Resampler(fromHz, toHz), input, sizes), whole);
    });

    test('a part made by itself equals the same part of the whole', () => {
      const input = noise(6000);
      const whole = resample(input, fromHz, toHz);
      const { alignSamples, reachSamples } = new Resampler(fromHz, toHz);
      const firstWanted = Math.ceil(3000 / alignSamples) * alignSamples;
      const begin = Math.floor((firstWanted - reachSamples) / alignSamples) * alignSamples;
      const part = resample(input.subarray(begin), fromHz, toHz);
      const toOutput = (position: number): number => (position * toHz) / fromHz;
      assert.deepEqual(part.subarray(toOutput(firstWanted - begin)), whole.subarray(toOutput(firstWanted)));
    });

    test('a constant stays that constant away from the edges', () => {
      const output = resample(new Int16Array(fromHz).fill(12_345), fromHz, toHz);
      assert.ok(output.subarray(toHz / 4, toHz / 2).every((sample) => sample === 12_345));
    });
  });
}

test('equal rates change nothing', () => {
  const input = noise(1000);
  assert.deepEqual(resample(input, 8000, 8000), input);
  assert.deepEqual(stream(new Resampler(8000, 8000), input, [33]), input);
});

test('overshoot of a full-scale square wave clips, it does not wrap', () => {
  const square = Int16Array.from({ length: 8000 }, (_, i) => (Math.floor(i / 40) % 2 ? 32_767 : -32_768));
  const output = resample(square, 8000, 48_000);
  for (let i = 6 * 50; i < 6 * 70; i++) assert.ok(output[i]! > 20_000);
});
