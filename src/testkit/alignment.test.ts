import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alignment } from './alignment.ts';
import { noise } from './noise.ts';
import { tone } from './tone.ts';

test('a quieter copy under another voice is found, with its level', () => {
  const expected = noise({ samples: 4000, seed: 3, levelDbov: -12 });
  const recorded = tone({ frequencyHz: 443, durationMs: 1000, levelDbov: -40 });
  for (let i = 0; i < expected.length; i++) recorded[1234 + i] = recorded[1234 + i]! + expected[i]! / 2;
  const found = alignment(recorded, expected)!;
  assert.equal(found.offset, 1234);
  assert.ok(found.correlation > 0.95, `${found.correlation}`);
  assert.ok(Math.abs(found.gainDb + 6.02) < 0.5, `${found.gainDb}`);
});

test('an early and a late block show a shift between them', () => {
  const expected = noise({ samples: 4000, seed: 3 });
  const recorded = new Int16Array(5000);
  recorded.set(expected.subarray(0, 2000), 100);
  recorded.set(expected.subarray(2000), 2107);
  assert.equal(alignment(recorded, expected, { blockStart: 200 })?.offset, 100);
  assert.equal(alignment(recorded, expected, { blockStart: 3000 })?.offset, 107);
});

test('a cut-off beginning gives a negative offset', () => {
  const expected = noise({ samples: 4000, seed: 3 });
  assert.equal(alignment(expected.slice(160), expected, { blockStart: 2000 })?.offset, -160);
});

test('silence aligns with nothing', () => {
  assert.equal(alignment(new Int16Array(2000), tone({ frequencyHz: 443, durationMs: 100 })), undefined);
  assert.equal(alignment(tone({ frequencyHz: 443, durationMs: 100 }), new Int16Array(500)), undefined);
  assert.equal(alignment(new Int16Array(0), new Int16Array(0)), undefined);
});
