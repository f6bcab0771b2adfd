import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tone } from './tone.ts';

test('a tone has its length, its zero crossings and its peak', () => {
  const samples = tone({ frequencyHz: 1000, durationMs: 250, levelDbov: -9.03 });
  assert.equal(samples.length, 2000);
  let crossings = 0;
  for (let i = 1; i < samples.length; i++) if (samples[i - 1]! < 0 && samples[i]! >= 0) crossings++;
  assert.equal(crossings, 249);
  assert.ok(Math.abs(Math.max(...samples) - 16_384) < 40);
});

test('a level above full scale is clipped, not wrapped', () => {
  const samples = tone({ frequencyHz: 500, durationMs: 10, levelDbov: 3 });
  assert.equal(Math.max(...samples), 32_767);
  assert.equal(Math.min(...samples), -32_768);
});
