import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FractionalResampler } from './fractional-resampler.ts';
import { goertzelDbov } from './goertzel.ts';
import { rmsDbov } from './level.ts';
import { tone } from './tone.ts';

const rateHz = 8000;
const levelDbov = -10;

/** The whole signal, each sample `step` outputs behind the one before, in packets. */
function stretched(input: Int16Array, step: number, inputsPerOutput = 1, fromPosition = 0): Int16Array {
  const begin = Math.round(fromPosition);
  const resampler = new FractionalResampler(inputsPerOutput, begin);
  const length = Math.round(input.length * step);
  const out = new Int16Array(length);
  let made = 0;
  for (let at = 0; at < input.length; at += 160) {
    const packet = input.subarray(at, at + 160);
    const from = fromPosition + at * step;
    resampler.push(packet, from, from + packet.length * step);
    made += resampler.read(begin + length, out.subarray(made));
  }
  resampler.finish();
  made += resampler.read(begin + length, out.subarray(made));
  assert.equal(made, length);
  return out;
}

describe('a tone on a clock that drifts', () => {
  for (const ppm of [-900, -20, 1, 200, 900])
    for (const frequencyHz of [100, 1000, 3000, 3400])
      test(`${ppm} ppm, ${frequencyHz} Hz: keeps its level, all else is at least 55 dB down`, () => {
        const step = 1 + ppm / 1e6;
        const input = tone({ rateHz, frequencyHz: frequencyHz * step, levelDbov }, 3 * rateHz);
        const output = stretched(input, step).subarray(rateHz, 2 * rateHz);
        const gain = goertzelDbov(output, { rateHz, frequencyHz }) - levelDbov;
        assert.ok(Math.abs(gain) < 0.1, `${gain} dB`);
        const pure = tone({ rateHz, frequencyHz, levelDbov }, 2 * rateHz).subarray(rateHz);
        const rest = output.map((sample, i) => Math.round(sample - 10 ** (gain / 20) * pure[i]!));
        assert.ok(rmsDbov(rest) < levelDbov - 55, `${rmsDbov(rest)} dBov`);
      });
});

test('at another rate, too, up and down, and what does not fit is far down', () => {
  const input = tone({ rateHz, frequencyHz: 1000, levelDbov }, 2 * rateHz);
  const up = stretched(input, 6.001, 1 / 6).subarray(48_000, 96_000);
  const heard = goertzelDbov(up, { rateHz: 48_000, frequencyHz: 6000 / 6.001 });
  assert.ok(Math.abs(heard - levelDbov) < 0.2, `${heard} dBov`);
  const high = tone({ rateHz: 16_000, frequencyHz: 5500, levelDbov }, 32_000);
  assert.ok(rmsDbov(stretched(high, 0.50005, 2).subarray(4000, 12_000)) < levelDbov - 55);
  const low = tone({ rateHz: 16_000, frequencyHz: 1000, levelDbov }, 32_000);
  assert.ok(Math.abs(rmsDbov(stretched(low, 0.50005, 2).subarray(4000, 12_000)) - levelDbov) < 0.1);
});

test('what lies on whole positions is not changed by a bit', () => {
  const input = Int16Array.from({ length: 1000 }, (_, k) => ((k * 7919) % 65_536) - 32_768);
  assert.deepEqual(stretched(input, 1, 1, 12_345), input);
});

test('a part of a long signal is that part of the whole', () => {
  const input = Int16Array.from({ length: 80_000 }, (_, k) => ((k * 7919) % 40_000) - 20_000);
  const step = 1.000_173;
  const whole = stretched(input, step, 1, 0.25);
  const fromInput = 40_000;
  const from = 0.25 + fromInput * step;
  const resampler = new FractionalResampler(1, Math.round(from), input.subarray(fromInput - 100, fromInput));
  for (let at = fromInput; at < fromInput + 1600; at += 160)
    resampler.push(input.subarray(at, at + 160), 0.25 + at * step, 0.25 + (at + 160) * step);
  const part = new Int16Array(1500);
  assert.equal(resampler.read(Math.round(from) + 1500, part), 1500);
  const begin = Math.round(from);
  assert.deepEqual(part, whole.subarray(begin, begin + 1500));
});

test('a change of speed between two packets is no seam', () => {
  const resampler = new FractionalResampler(1, 0);
  const out = new Int16Array(16_100);
  const input = tone({ rateHz, frequencyHz: 400, levelDbov }, 2 * rateHz);
  let position = 0;
  let made = 0;
  for (let at = 0, packet = 0; at < input.length; at += 160, packet++) {
    const to = position + 160 * (1 + [300, -500, 0, 900][packet % 4]! / 1e6);
    resampler.push(input.subarray(at, at + 160), position, to);
    position = to;
    made += resampler.read(Math.round(position), out.subarray(made));
  }
  const steps = Array.from({ length: made - 2 }, (_, k) => Math.abs(out[k]! - 2 * out[k + 1]! + out[k + 2]!));
  const ownSteps = Array.from(input.subarray(2), (sample, k) =>
    Math.abs(sample - 2 * input[k + 1]! + input[k]!),
  );
  assert.ok(Math.max(...steps) < 1.1 * Math.max(...ownSteps) + 4);
});
