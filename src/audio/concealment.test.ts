import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Concealer, maxConcealedMs } from './concealment.ts';
import { goertzelDbov } from './goertzel.ts';
import { peak, rmsDbov } from './level.ts';
import { tone } from './tone.ts';

const frameMs = 20;

/** A periodic signal rich in harmonics, like a held vowel; `periodSamples` is whole, so that it repeats exactly. */
function vowel(samples: number, periodSamples: number): Int16Array {
  return Int16Array.from({ length: samples }, (_, n) => {
    let sum = 0;
    for (let k = 1; k <= 8; k++) sum += Math.sin((2 * Math.PI * k * (n % periodSamples)) / periodSamples) / k;
    return Math.round(6000 * sum);
  });
}

/** The signal in 20 ms frames with the numbered ones lost. */
function concealed(signal: Int16Array, rateHz: number, lost: number[]): Int16Array {
  const concealer = new Concealer(rateHz);
  const samples = (rateHz * frameMs) / 1000;
  const out = signal.slice();
  for (let k = 0; k * samples < signal.length; k++) {
    const frame = out.subarray(k * samples, (k + 1) * samples);
    if (lost.includes(k)) concealer.conceal(frame);
    else concealer.received(frame, frame);
  }
  return out;
}

function signalToNoiseDb(signal: Int16Array, other: Int16Array, from: number, to: number): number {
  const difference = signal.slice(from, to).map((sample, i) => sample - other[from + i]!);
  return rmsDbov(signal, from, to) - rmsDbov(difference);
}

for (const rateHz of [8000, 16_000, 48_000]) {
  describe(`at ${rateHz} Hz`, () => {
    const frame = (rateHz * frameMs) / 1000;
    const at = (k: number): number => k * frame;

    test('without loss nothing changes', () => {
      const signal = vowel(at(20), rateHz / 125);
      assert.deepEqual(concealed(signal, rateHz, []), signal);
    });

    for (const pitchHz of [80, 125, 160])
      test(`10 ms of a vowel of ${pitchHz} Hz are restored, with the frame behind them`, () => {
        const signal = vowel(at(20), rateHz / pitchHz);
        const out = concealed(signal, rateHz, [10]);
        const restored = signalToNoiseDb(signal, out, at(10) + rateHz / 250, at(10) + rateHz / 100);
        assert.ok(restored > 30, `${restored} dB`);
        const behind = signalToNoiseDb(signal, out, at(11), at(12));
        assert.ok(behind > 18, `${behind} dB`);
        assert.deepEqual(out.subarray(at(12)), signal.subarray(at(12)));
        assert.deepEqual(out.subarray(0, at(10)), signal.subarray(0, at(10)));
      });

    test('a tone keeps its frequency, then fades: nothing is left after 60 ms', () => {
      const signal = tone({ rateHz, frequencyHz: 400, levelDbov: -15 }, at(30));
      const out = concealed(signal, rateHz, [10, 11, 12, 13, 14]);
      const level = (k: number): number => goertzelDbov(out, { rateHz, frequencyHz: 400 }, at(k), at(k + 1));
      assert.ok(Math.abs(level(10) - -15) < 2, `${level(10)}`);
      assert.ok(level(11) < level(10) && level(12) < level(11) - 3, `${level(11)} ${level(12)}`);
      assert.equal(maxConcealedMs, 60);
      assert.equal(peak(out, at(13), at(15)), 0);
      assert.ok(Math.abs(level(16) - -15) < 0.1);
    });

    test('there is no jump at either seam', () => {
      const signal = vowel(at(20), Math.round(rateHz / 130));
      const step = (samples: Int16Array): number => peak(samples.slice(1).map((s, i) => s - samples[i]!));
      const out = concealed(signal, rateHz, [7, 8, 15]);
      assert.ok(step(out) <= 1.3 * step(signal), `${step(out)} ${step(signal)}`);
    });

    test('silence stays silence, and so does the time before any audio', () => {
      const out = concealed(new Int16Array(at(10)), rateHz, [0, 1, 5, 9]);
      assert.equal(peak(out), 0);
    });

    test('every second frame lost still is what was spoken', () => {
      const signal = vowel(at(60), rateHz / 125);
      const lost = Array.from({ length: 25 }, (_, k) => 8 + 2 * k);
      const out = concealed(signal, rateHz, lost);
      const ratio = signalToNoiseDb(signal, out, at(8), at(58));
      assert.ok(ratio > 8, `${ratio} dB`);
    });
  });
}

test('a loss in parts of any size is the same as in one', () => {
  const signal = vowel(1600, 70);
  const whole = new Int16Array(400);
  const parts = new Int16Array(400);
  const one = new Concealer(8000);
  one.received(signal);
  one.conceal(whole);
  const other = new Concealer(8000);
  for (let k = 0; k < 1600; k += 37) other.received(signal.subarray(k, k + 37));
  for (let k = 0; k < 400; k += 7) other.conceal(parts.subarray(k, Math.min(400, k + 7)));
  assert.deepEqual(parts, whole);
});

test('remembering does not change what is given; leading in changes only the concealed end', () => {
  const signal = vowel(800, 64);
  const given = signal.slice();
  const concealer = new Concealer(8000);
  concealer.received(given);
  const lost = new Int16Array(160);
  concealer.conceal(lost);
  const before = lost.slice();
  const next = signal.subarray(320, 480);
  concealer.lead(lost, next);
  concealer.received(next);
  assert.deepEqual(given, signal);
  assert.deepEqual(lost.subarray(0, 80), before.subarray(0, 80));
  assert.ok(Math.abs(lost[159]! - next[0]!) < Math.abs(before[159]! - next[0]!) + 200);
});

test('after a reset nothing of before is heard', () => {
  const concealer = new Concealer(8000);
  concealer.received(vowel(800, 64));
  concealer.reset();
  const out = new Int16Array(160).fill(1);
  concealer.conceal(out);
  assert.equal(peak(out), 0);
});
