import assert from 'node:assert/strict';
import { test } from 'node:test';
import { goertzelDbov } from './goertzel.ts';
import { peak, rmsDbov } from './level.ts';
import { ToneGenerator, tone } from './tone.ts';

test('level and frequency are as asked', () => {
  for (const [rateHz, frequencyHz, levelDbov] of [
    [8000, 440, -10],
    [16_000, 1000, -26],
    [48_000, 2500, -3.02],
  ] as const) {
    const samples = tone({ rateHz, frequencyHz, levelDbov }, rateHz);
    assert.ok(Math.abs(rmsDbov(samples) - levelDbov) < 0.01);
    assert.ok(Math.abs(goertzelDbov(samples, { rateHz, frequencyHz }) - levelDbov) < 0.01);
  }
});

test('blocks of any size join without a break', () => {
  const options = { rateHz: 8000, frequencyHz: 697, levelDbov: -12 };
  const whole = tone(options, 1000);
  const generator = new ToneGenerator(options);
  const parts = new Int16Array(1000);
  let position = 0;
  for (const size of [1, 160, 7, 333, 499]) {
    generator.write(parts, position, position + size);
    position += size;
  }
  assert.deepEqual(parts, whole);
});

test('ten hours later the phase is still exact', () => {
  const options = { rateHz: 8000, frequencyHz: 1000, levelDbov: -10 };
  const late = new Int16Array(80);
  new ToneGenerator(options, 10 * 3600 * 8000).write(late);
  assert.deepEqual(late, tone(options, 80));
});

test('a tone too loud clips, it does not wrap', () => {
  const samples = tone({ rateHz: 8000, frequencyHz: 100, levelDbov: 0 }, 8000);
  assert.equal(peak(samples), 32_768);
  assert.ok(samples.subarray(1, 39).every((sample) => sample > 0));
});
