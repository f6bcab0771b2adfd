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

test('through many pauses, some of them empty, each recorded sample has one place', () => {
  const time = new RecordedTime();
  const places: number[] = [];
  let at = 100;
  for (let k = 0; k < 200; k++) {
    if (k === 0) time.begin(at);
    else time.resume(at);
    const samples = (k * 7) % 13;
    for (let i = 0; i < samples; i++) places.push(at + i);
    at += samples;
    time.pause(at);
    assert.equal(time.at(at), places.length);
    at += (k * 5) % 3;
    assert.equal(time.at(at), places.length, 'it stands still');
  }
  for (const [recorded, sample] of places.entries()) {
    assert.equal(time.at(sample), recorded);
    const place = time.sampleOf(recorded);
    // A place at the edge of a pause is the one before it.
    assert.ok(place === sample || (recorded > 0 && place === places[recorded - 1]! + 1), `${recorded}`);
  }
  assert.equal(time.sampleOf(places.length + 1), places.at(-1)! + 1, 'beyond all that was recorded: its end');
});
