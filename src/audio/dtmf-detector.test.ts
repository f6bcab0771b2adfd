import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DtmfDetector } from './dtmf-detector.ts';
import { rmsDbov } from './level.ts';
import { tone } from './tone.ts';

const rowsHz = [697, 770, 852, 941];
const columnsHz = [1209, 1336, 1477, 1633];
const digits = ['1', '2', '3', 'A', '4', '5', '6', 'B', '7', '8', '9', 'C', '*', '0', '#', 'D'];

interface Key {
  rateHz?: number;
  ms?: number;
  rowDbov?: number;
  columnDbov?: number;
  /** Factor on both frequencies. */
  detuned?: number;
}

function key(
  digit: string,
  { rateHz = 8000, ms = 60, rowDbov = -18, columnDbov = -18, detuned = 1 }: Key = {},
) {
  const index = digits.indexOf(digit);
  const samples = Math.round((ms * rateHz) / 1000);
  const row = rowsHz[index >> 2]! * detuned;
  const column = columnsHz[index & 3]! * detuned;
  const low = tone({ rateHz, frequencyHz: row, levelDbov: rowDbov }, samples);
  const high = tone({ rateHz, frequencyHz: column, levelDbov: columnDbov }, samples);
  return low.map((sample, i) => sample + high[i]!);
}

function silence(ms: number, rateHz = 8000): Int16Array {
  return new Int16Array(Math.round((ms * rateHz) / 1000));
}

function joined(parts: Int16Array[]): Int16Array {
  const out = new Int16Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

function noise(samples: number, amplitude: number): Int16Array {
  let seed = 5;
  return Int16Array.from({ length: samples }, () => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) | 0;
    return Math.round((seed / 2 ** 31) * amplitude);
  });
}

function detect(samples: Int16Array, rateHz = 8000, frame = rateHz / 50) {
  const found: { digit: string; start: number; duration: number }[] = [];
  const detector = new DtmfDetector(rateHz, (digit, start, duration) =>
    found.push({ digit, start, duration }),
  );
  for (let at = 0; at < samples.length; at += frame) detector.push(samples.subarray(at, at + frame));
  detector.skip(1);
  return found;
}

const named = (found: { digit: string }[]): string => found.map(({ digit }) => digit).join('');

describe('keys', () => {
  test('all sixteen, at 8, 16 and 48 kHz, with their place and length', () => {
    for (const rateHz of [8000, 16_000, 48_000]) {
      const parts = digits.flatMap((digit) => [silence(50, rateHz), key(digit, { rateHz, ms: 70 })]);
      const found = detect(joined([...parts, silence(50, rateHz)]), rateHz);
      assert.equal(named(found), digits.join(''));
      for (const [k, { start, duration }] of found.entries()) {
        const exact = ((120 * k + 50) * rateHz) / 1000;
        assert.ok(Math.abs(start - exact) <= 0.013 * rateHz, `${start} ${exact}`);
        assert.ok(Math.abs(duration - 0.07 * rateHz) <= 0.02 * rateHz, `${duration}`);
      }
    }
  });

  test('40 ms with 40 ms between them, wherever the blocks lie, the same key twice', () => {
    for (let lead = 0; lead < 102; lead += 3) {
      const parts = ['5', '5', '1', '1', '#'].flatMap((digit) => [key(digit, { ms: 40 }), silence(40)]);
      const found = detect(joined([new Int16Array(lead), ...parts]));
      assert.equal(named(found), '5511#', `lead ${lead}`);
    }
  });

  test('from -39 to -10 dBov each, as coarse as the telephone makes them', () => {
    for (const level of [-39, -30, -20, -10]) {
      const samples = joined([silence(40), key('8', { rowDbov: level, columnDbov: level }), silence(40)]);
      const coarse = samples.map((sample) => {
        const step = 2 ** Math.max(2, Math.floor(Math.log2(Math.abs(sample) + 1)) - 4);
        return Math.round(sample / step) * step;
      });
      assert.equal(named(detect(coarse)), '8', `${level}`);
    }
  });

  test('twist of 4 dB one way and 8 dB the other (Q.24)', () => {
    assert.equal(named(detect(key('4', { rowDbov: -20, columnDbov: -16 }))), '4');
    assert.equal(named(detect(key('4', { rowDbov: -14, columnDbov: -22 }))), '4');
    assert.equal(named(detect(key('4', { rowDbov: -28, columnDbov: -14 }))), '');
    assert.equal(named(detect(key('4', { rowDbov: -12, columnDbov: -26 }))), '');
  });

  test('1.5% off is a key, for all of them; 5% off is none', () => {
    for (const digit of digits) {
      assert.equal(named(detect(key(digit, { detuned: 1.015 }))), digit);
      assert.equal(named(detect(key(digit, { detuned: 0.985 }))), digit);
      assert.equal(named(detect(key(digit, { detuned: 1.05 }))), '', `${digit} high`);
      assert.equal(named(detect(key(digit, { detuned: 0.95 }))), '', `${digit} low`);
    }
  });

  test('in noise 15 dB below', () => {
    const pressed = key('7', { ms: 80 });
    const noisy = noise(pressed.length, 32_768 * 10 ** ((rmsDbov(pressed) - 15) / 20) * Math.sqrt(3));
    assert.equal(named(detect(pressed.map((sample, i) => sample + noisy[i]!))), '7');
  });

  test('a break of 10 ms does not make two of one', () => {
    const broken = joined([key('9', { ms: 60 }), silence(10), key('9', { ms: 60 }), silence(60)]);
    assert.equal(named(detect(broken)), '9');
  });

  test('frames of any size give the same', () => {
    const samples = joined([silence(33), key('2'), silence(60), key('D'), silence(60)]);
    const whole = detect(samples, 8000, samples.length);
    for (const frame of [1, 7, 80, 160, 333]) assert.deepEqual(detect(samples, 8000, frame), whole);
  });

  test('a gap in the stream ends a key, and counts', () => {
    const found: [string, number][] = [];
    const detector = new DtmfDetector(8000, (digit, start) => found.push([digit, start]));
    detector.push(key('3', { ms: 102 }));
    detector.skip(8000);
    assert.deepEqual(found, [['3', 0]]);
    detector.push(key('3', { ms: 51 }));
    detector.skip(1);
    assert.deepEqual(found[1], ['3', 816 + 8000]);
  });
});

describe('not keys', () => {
  test('less than 23 ms, wherever the blocks lie', () => {
    for (let lead = 0; lead < 102; lead += 3)
      assert.equal(named(detect(joined([new Int16Array(lead), key('6', { ms: 22 }), silence(50)]))), '');
  });

  test('silence, noise, one tone alone, and the tones of the network', () => {
    assert.equal(named(detect(silence(2000))), '');
    assert.equal(named(detect(noise(80_000, 20_000))), '');
    for (const hertz of [...rowsHz, ...columnsHz, 440, 1004, 2100])
      assert.equal(named(detect(tone({ rateHz: 8000, frequencyHz: hertz, levelDbov: -10 }, 8000))), '');
    // Dial, busy and ringback tones of North America; 425 Hz elsewhere.
    for (const [low, high] of [
      [350, 440],
      [480, 620],
      [440, 480],
      [425, 425],
    ] as const) {
      const first = tone({ rateHz: 8000, frequencyHz: low, levelDbov: -16 }, 8000);
      const second = tone({ rateHz: 8000, frequencyHz: high, levelDbov: -16 }, 8000);
      assert.equal(named(detect(first.map((sample, i) => sample + second[i]!))), '');
    }
  });

  test('a voiced sound whose harmonics fall on the frequencies of a key', () => {
    const voice = new Int16Array(8000);
    for (const harmonic of [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]) {
      const part = tone({ rateHz: 8000, frequencyHz: 121 * harmonic, levelDbov: -22 - harmonic }, 8000);
      for (let i = 0; i < voice.length; i++) voice[i]! += part[i]!;
    }
    assert.equal(named(detect(voice)), '');
  });

  test('a key that talks: music of a chord beside it', () => {
    const pressed = key('1', { ms: 500 });
    const chord = [523, 659, 784].map((hertz) =>
      tone({ rateHz: 8000, frequencyHz: hertz, levelDbov: -18 }, pressed.length),
    );
    const music = pressed.map((sample, i) => sample + chord[0]![i]! + chord[1]![i]! + chord[2]![i]!);
    assert.equal(named(detect(music)), '');
  });
});
