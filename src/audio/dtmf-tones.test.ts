import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DtmfDetector } from './dtmf-detector.ts';
import { dtmfTones } from './dtmf-tones.ts';

const timing = { durationMs: 100, gapMs: 100, pauseMs: 500 };

test('every key is heard as itself, where it is', () => {
  const digits = '123A456B789C*0#D';
  const heard: [digit: string, startMs: number][] = [];
  const detector = new DtmfDetector(8000, (digit, start) =>
    heard.push([digit, Math.round(start / 800) * 100]),
  );
  detector.push(dtmfTones(digits, 8000, timing));
  assert.deepEqual(
    heard,
    [...digits].map((digit, n) => [digit, 200 * n]),
  );
});

test('a pause is silence', () => {
  const samples = dtmfTones('w1w', 8000, timing);
  assert.equal(samples.length, 4000 + 1600 + 4000);
  assert.ok(samples.subarray(0, 4000).every((sample) => sample === 0));
  assert.ok(samples.subarray(4800).every((sample) => sample === 0));
});
