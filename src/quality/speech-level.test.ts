import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silenceDbov } from '../audio/level.ts';
import { SpeechLevel } from './speech-level.ts';
import { randomOf } from './test-random.ts';

/** Noise of this level for so much of each 4 s. */
function bursts(levelDbov: number, share: number, rateHz: number): Int16Array {
  const random = randomOf(1);
  const peak = Math.sqrt(3) * 32_768 * 10 ** (levelDbov / 20);
  return Int16Array.from({ length: 12 * rateHz }, (_, i) =>
    i % (4 * rateHz) < share * 4 * rateHz ? Math.round((2 * random() - 1) * peak) : 0,
  );
}

function activeOf(samples: Int16Array, rateHz: number, chunk = samples.length) {
  const level = new SpeechLevel(rateHz);
  for (let at = 0; at < samples.length; at += chunk)
    level.push(samples, at, Math.min(samples.length, at + chunk));
  return level.active();
}

for (const rateHz of [8000, 16_000])
  for (const share of [0.25, 0.5, 1])
    for (const levelDbov of [-15, -40])
      test(`${levelDbov} dBov for ${share} of the time, at ${rateHz} Hz`, () => {
        const { levelDbov: said, activity } = activeOf(bursts(levelDbov, share, rateHz), rateHz);
        // The hangover of 200 ms and the decay of the envelope count as speech.
        const wanted = Math.min(1, share + (share < 1 ? 0.34 / 4 : 0));
        assert.ok(Math.abs(activity - wanted) < 0.03, `activity ${activity}`);
        assert.ok(Math.abs(said - (levelDbov + 10 * Math.log10(share / wanted))) < 0.5, `${said}`);
      });

test('the same however the samples come', () => {
  const samples = bursts(-20, 0.5, 8000);
  const whole = activeOf(samples, 8000);
  for (const chunk of [1, 160, 1111]) {
    const { levelDbov, activity } = activeOf(samples, 8000, chunk);
    assert.equal(activity, whole.activity);
    assert.ok(Math.abs(levelDbov - whole.levelDbov) < 1e-9);
  }
});

test('of nothing, and of silence, there is no level', () => {
  assert.deepEqual(activeOf(new Int16Array(0), 8000), { levelDbov: silenceDbov, activity: 0 });
  assert.deepEqual(activeOf(new Int16Array(8000), 8000), { levelDbov: silenceDbov, activity: 0 });
});

test('since the mark the level is that of what came since', () => {
  const level = new SpeechLevel(8000);
  const [soft, loud] = [bursts(-40, 0.5, 8000), bursts(-20, 0.5, 8000)];
  level.push(soft, 0, soft.length);
  assert.equal(level.levelSinceMark(), level.active().levelDbov);
  level.mark();
  assert.equal(level.levelSinceMark(), silenceDbov);
  level.push(loud, 0, loud.length);
  assert.ok(Math.abs(level.levelSinceMark() - activeOf(loud, 8000).levelDbov) < 0.1);
  assert.equal(level.active(true).levelDbov, activeOf(soft, 8000).levelDbov);
});
