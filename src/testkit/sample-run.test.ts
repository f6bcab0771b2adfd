import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noise } from './noise.ts';
import { assertExactRun, assertNoRun, findPayloadRun, longestRun } from './sample-run.ts';

const speech = noise({ samples: 8000, seed: 11 });

function recordingWith(samples: Int16Array, at: number): Int16Array {
  const recording = new Int16Array(at + samples.length + 500);
  recording.set(samples, at);
  return recording;
}

test('a run is found at its sample', () => {
  for (const at of [0, 1, 159, 4001]) {
    assert.equal(findPayloadRun(recordingWith(speech, at), speech), at);
    assert.equal(assertExactRun(recordingWith(speech, at), speech), at);
  }
});

test('bytes that match across two samples are no run', () => {
  assert.equal(findPayloadRun(Int16Array.of(0x3412, 0x7856, 0x1234), Int16Array.of(0x5634)), -1);
  assert.equal(findPayloadRun(Int16Array.of(0x3412, 0x7856, 0x5634), Int16Array.of(0x5634)), 2);
});

test('a view with an offset into its buffer is searched from its own beginning', () => {
  const recording = recordingWith(speech, 100).subarray(40);
  assert.equal(findPayloadRun(recording, speech.subarray(10)), 70);
});

test('an empty run is refused instead of found', () => {
  assert.throws(() => findPayloadRun(speech, new Int16Array(0)), RangeError);
});

test('the longest run is found before and behind a damaged sample', () => {
  const recording = recordingWith(speech, 300);
  recording[300 + 5000] = recording[300 + 5000]! ^ 1;
  assert.deepEqual(longestRun(recording, speech), { start: 300, expectedStart: 0, length: 5000 });
  assert.deepEqual(longestRun(recording.subarray(5301), speech), {
    start: 0,
    expectedStart: 5001,
    length: 2999,
  });
});

test('a missing run names the first wrong sample on both sides', () => {
  const recording = recordingWith(speech, 300);
  recording[300 + 6000] = 77;
  assert.throws(
    () => assertExactRun(recording, speech, { label: 'Alice' }),
    (error: Error) => {
      assert.match(error.message, /^Alice is not in the recording bit for bit: 8000 samples expected/);
      assert.match(error.message, /longest exact run 6000 samples, expected sample 0 \(0\.0 ms\)/);
      assert.match(error.message, /found at recorded sample 300 \(37\.5 ms\)/);
      assert.match(error.message, new RegExp(`sample 6000 \\(750\\.0 ms\\) is ${speech[6000]}, recorded 77`));
      return true;
    },
  );
});

test('a cut-off beginning or end is told as such', () => {
  assert.throws(
    () => assertExactRun(speech.subarray(100), speech),
    /recorded nothing \(the recording begins/,
  );
  assert.throws(
    () => assertExactRun(speech.subarray(0, 5000), speech),
    /recorded nothing \(the recording ends/,
  );
});

test('a run at half its level is told as alike, at its place', () => {
  const halved = recordingWith(speech, 250).map((sample) => sample >> 1);
  assert.throws(() => assertExactRun(halved, speech), /likest place is recorded sample 250 .* -6\.0 dB/);
  assert.throws(() => assertExactRun(new Int16Array(9000), speech), /no part of it is there/);
});

test('forbidden audio is found even in part, and silence is not called forbidden', () => {
  const withSilence = new Int16Array(9000);
  withSilence.set(speech.subarray(0, 4000), 5000);
  assert.doesNotThrow(() => assertNoRun(noise({ samples: 9000, seed: 12 }), withSilence));
  assert.doesNotThrow(() => assertNoRun(new Int16Array(9000), withSilence));
  assert.throws(
    () => assertNoRun(recordingWith(speech.subarray(1000, 1400), 60), withSilence),
    /400 samples of it/,
  );
});

test('an hour of audio is searched in a moment', () => {
  const hour = new Int16Array(8000 * 3600);
  hour.set(speech, hour.length - speech.length);
  assert.equal(findPayloadRun(hour, speech), hour.length - speech.length);
});
