import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecordedTime } from './recorded-time.ts';

test('recorded time stands still while it is paused', () => {
  const time = new RecordedTime();
  time.begin(1000);
  assert.equal(time.at(1500), 500);
  time.pause(2000);
  assert.equal(time.at(2900), 1000);
  time.resume(3000);
  assert.equal(time.at(3001), 1001);
  for (const recorded of [0, 1, 999, 1000]) assert.equal(time.sampleOf(recorded), 1000 + recorded);
  assert.equal(time.sampleOf(1001), 3001);
  assert.equal(time.at(time.sampleOf(5000)), 5000);
});

test('before the beginning nothing is recorded', () => {
  const time = new RecordedTime();
  assert.equal(time.at(100), 0);
  time.begin(200);
  assert.equal(time.at(100), 0);
});
