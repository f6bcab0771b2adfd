import assert from 'node:assert/strict';
import { test } from 'node:test';
import { goertzelDbov } from '../audio/goertzel.ts';
import { ChannelReader } from './channel.ts';
import { MixReader } from './mix.ts';
import { frame, readAll, testNoise, testStream, testTone, testTrack, testView } from './test-track.ts';

test('four tones: each within 1 dB, nothing clips', () => {
  const tones = [440, 700, 1100, 1900];
  const samples = 250 * frame;
  const view = testView(
    tones.map((hertz, k) => {
      const { records } = testStream(testTone(samples, hertz, 7000), { codec: k % 2 ? 'PCMU' : 'PCMA' });
      return testTrack(`${hertz}`, records, { endSample: samples });
    }),
    { endSample: samples },
  );
  const mix = readAll(new MixReader(view, samples, 0), samples);
  for (const track of view.tracks) {
    const frequencyHz = Number(track.trackId);
    const channel = readAll(new ChannelReader(track, view, 0), samples);
    const inMix = goertzelDbov(mix, { rateHz: 8000, frequencyHz });
    const alone = goertzelDbov(channel, { rateHz: 8000, frequencyHz });
    assert.ok(Math.abs(inMix - alone) < 1, `${frequencyHz} Hz: ${inMix} in the mix, ${alone} alone`);
  }
});

/** Two parties of full-scale noise, one joining late and leaving early, in a recording that begins at 80 ms. */
function loudView(): ReturnType<typeof testView> {
  const samples = 400 * frame;
  const first = testStream(testNoise(samples, 32_767, 3));
  const second = testStream(testNoise(200 * frame, 32_767, 9), {
    arrivalUs: (k) => 2_000_000 + k * 20_000,
  });
  const tracks = [
    testTrack('a', first.records, { endSample: samples }),
    testTrack('b', second.records, { startSample: 15_900, endSample: 300 * frame }),
  ];
  return testView(tracks, { startSample: 640, endSample: samples });
}

test('loud noise never wraps around: the mix has the sign of the sum, and is the sum where it fits', () => {
  const view = loudView();
  const end = view.endSample ?? 0;
  const mix = readAll(new MixReader(view, end, 640), end - 640);
  const [a, b] = view.tracks.map((track) => {
    const sample = Math.max(640, track.startSample);
    const channel = new Int16Array(end);
    channel.set(readAll(new ChannelReader(track, view, sample), (track.endSample ?? 0) - sample), sample);
    return channel;
  });
  let limited = 0;
  for (let k = 640; k < end; k += 1) {
    const sum = a![k]! + b![k]!;
    const mixed = mix[k - 640]!;
    assert.ok(
      Math.abs(mixed) <= Math.abs(sum) + 1 && mixed * sum >= 0,
      `sample ${k}: ${sum} became ${mixed}`,
    );
    if (mixed !== sum) limited += 1;
  }
  assert.ok(limited > 1000, 'the noise was loud enough to be limited');
  assert.deepEqual(mix.subarray(0, 15_000 - 640), a!.subarray(640, 15_000), 'one party alone is untouched');
});

test('any range is the same part of the whole, limiter and all', () => {
  const view = loudView();
  const end = view.endSample ?? 0;
  const whole = readAll(new MixReader(view, end, 640), end - 640);
  for (const from of [640, 641, 15_899, 16_000, 16_001, 31_000, 47_999, 48_100, end - 3]) {
    const length = Math.min(5000, end - from);
    const part = readAll(new MixReader(view, end, from), length, 333);
    assert.deepEqual(part, whole.subarray(from - 640, from - 640 + length), `from ${from}`);
  }
});

test('what was paused is silent and moves no gain around it', () => {
  const view = loudView();
  view.pauses.push({ fromSample: 20_000, toSample: 24_000, behaviour: 'silence' });
  const end = view.endSample ?? 0;
  const mix = readAll(new MixReader(view, end, 640), end - 640);
  assert.equal(
    mix.subarray(20_000 - 640, 24_000 - 640).some((sample) => sample !== 0),
    false,
  );
  const before = readAll(new MixReader(loudView(), end, 640), end - 640);
  assert.deepEqual(mix.subarray(0, 19_000), before.subarray(0, 19_000));
});

test('a recording without tracks is silence, read past its end too', () => {
  const out = readAll(new MixReader(testView([], { endSample: 5000 }), 5000, 0), 6000);
  assert.equal(
    out.some((sample) => sample !== 0),
    false,
  );
});
