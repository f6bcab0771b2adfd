import assert from 'node:assert/strict';
import { test } from 'node:test';
import { heardInRoom, heardRt60, type Room, randomRoom, roomRateHz, roomResponse } from './room.ts';

const shoebox = (absorption: number): Room => ({
  size: [6, 5, 3],
  talker: [2, 2, 1.5],
  microphone: [4, 3, 1.5],
  absorption: Array.from({ length: 6 }, () => [absorption, absorption, absorption]),
});

/** Energy of so many milliseconds from a place on. */
const energy = (taps: Float64Array, fromMs: number, toMs: number): number =>
  taps
    .slice((fromMs * roomRateHz) / 1000, (toMs * roomRateHz) / 1000)
    .reduce((sum, tap) => sum + tap * tap, 0);

test('the reverberation time is about that of Eyring, for walls alike', () => {
  for (const absorption of [0.1, 0.2, 0.4]) {
    const eyring = (0.161 * 90) / (126 * -Math.log(1 - absorption));
    const { rt60Seconds } = roomResponse(shoebox(absorption));
    assert.ok(rt60Seconds > 0.85 * eyring && rt60Seconds < 1.4 * eyring, `${rt60Seconds} for ${eyring}`);
  }
});

test('what is measured is how the taps decay', () => {
  const { taps, rt60Seconds } = roomResponse(shoebox(0.2));
  const halfMs = 500 * rt60Seconds;
  const fallDb = 10 * Math.log10(energy(taps, 50, 90) / energy(taps, 50 + halfMs, 90 + halfMs));
  assert.ok(Math.abs(fallDb - 30) < 4, `${fallDb} dB in half of ${rt60Seconds} s`);
});

test('the first echoes come when the walls are as far as that', () => {
  const { taps } = roomResponse(shoebox(0.1));
  // The direct way is 2.236 m, by the floor or the ceiling 3.742 m: 35.1 samples more.
  const loud = [...taps.entries()].filter(([, tap]) => Math.abs(tap) > 0.25 * Math.abs(taps[2]!));
  assert.ok(loud.some(([at]) => at <= 3));
  assert.ok(!loud.some(([at]) => at > 12 && at < 30));
  assert.ok(loud.some(([at]) => Math.abs(at - 37) <= 2));
});

test('walls that absorb less leave more, and rooms are the same for the same seed', () => {
  const rt60s = [0.3, 0.6, 1.2].map(
    (rt60Seconds) => roomResponse(randomRoom({ seed: 5, rt60Seconds })).rt60Seconds,
  );
  assert.deepEqual(
    rt60s.toSorted((a, b) => a - b),
    rt60s,
  );
  assert.deepEqual(randomRoom({ seed: 5, rt60Seconds: 0.6 }), randomRoom({ seed: 5, rt60Seconds: 0.6 }));
  assert.notDeepEqual(randomRoom({ seed: 5, rt60Seconds: 0.6 }), randomRoom({ seed: 6, rt60Seconds: 0.6 }));
});

test('a signal in a room is the sum of its echoes', () => {
  const signal = Float64Array.from({ length: 50 }, (_, i) => Math.sin(i * i));
  const taps = Float64Array.from([1, 0, -0.5, 0.25]);
  const heard = heardInRoom(signal, taps);
  assert.equal(heard.length, signal.length);
  for (let i = 0; i < heard.length; i++) {
    const wanted = signal[i]! - 0.5 * (signal[i - 2] ?? 0) + 0.25 * (signal[i - 3] ?? 0);
    assert.ok(Math.abs(heard[i]! - wanted) < 1e-9);
  }
});

test('a near microphone hears less of a room than a far one', () => {
  const heard = [0.05, 1.5].map((distanceMetres) =>
    heardRt60(roomResponse(randomRoom({ seed: 3, rt60Seconds: 0.4, distanceMetres }))),
  );
  assert.ok(heard[0]! < 0.7 * heard[1]!, `${heard}`);
});
