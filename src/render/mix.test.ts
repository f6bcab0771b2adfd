import assert from 'node:assert/strict';
import { test } from 'node:test';
import { goertzelDbov } from '../audio/goertzel.ts';
import { Limiter } from '../audio/limiter.ts';
import { ChannelReader } from './channel.ts';
import { settledMixEnd } from './growth.ts';
import { MixReader } from './mix.ts';
import { silencePaused } from './pause-map.ts';
import { frame, readAll, testNoise, testStream, testTone, testTrack, testView } from './test-track.ts';
import type { RecordingView } from './track-source.ts';

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

/** Loud ones who come and go: alone, together, at once behind one another, with nobody between, and one who is paused. */
function comingAndGoing(): RecordingView {
  const stays = [
    [0, 300],
    [90, 181],
    [300, 420],
    [460, 700],
    [640, 655],
    [655, 660],
  ] as const;
  const tracks = stays.map(([from, to], k) => {
    const { records } = testStream(testNoise((to - from) * frame, 32_767, 20 + k), {
      ssrc: k,
      codec: k % 2 ? 'PCMU' : 'PCMA',
      arrivalUs: (packet) => (from + packet) * 20_000,
    });
    // Between two blocks of the limiter, as a rule.
    return testTrack(`${k}`, records, { startSample: from * frame + 7 * k, endSample: to * frame - 5 * k });
  });
  const pauses = [{ fromSample: 40_011, toSample: 41_000, behaviour: 'silence' as const }];
  return testView(tracks, { endSample: 720 * frame, pauses });
}

/** The sum of all channels, each read by itself, through the limiter at once. */
function limitedSum(view: RecordingView): Int16Array {
  const sums = new Int32Array(view.endSample!);
  for (const track of view.tracks) {
    const channel = readAll(
      new ChannelReader(track, view, track.startSample),
      track.endSample! - track.startSample,
    );
    silencePaused(channel, track.startSample, view.pauses);
    for (const [k, sample] of channel.entries()) sums[track.startSample + k]! += sample;
  }
  const limiter = new Limiter(view.rateHz);
  const out = new Int16Array(limiter.maxOutput(sums.length));
  limiter.flush(out, limiter.push(sums, out));
  return out.subarray(0, sums.length);
}

test('who is alone passes the limiter by, and all is as if nobody did', () => {
  const view = comingAndGoing();
  const expected = limitedSum(view);
  const end = view.endSample!;
  for (const block of [80, 333, 8000, 16_001, 40_000, end])
    assert.deepEqual(readAll(new MixReader(view, end, 0), end, block), expected, `blocks of ${block}`);
  for (const from of [1, 14_000, 15_000, 30_003, 50_000, 70_001])
    assert.deepEqual(
      readAll(new MixReader(view, end, from), end - from, 9001),
      expected.subarray(from),
      `from ${from}`,
    );
});

test('the same while it grows, in steps of any length', () => {
  const whole = comingAndGoing();
  const end = whole.endSample!;
  const expected = limitedSum(whole);
  for (const stepSamples of [700, 9999, 32_000]) {
    const viewAt = (settled: number): RecordingView => ({
      ...whole,
      endSample: undefined,
      tracks: whole.tracks
        .filter(({ startSample }) => startSample < settled)
        .map((track) => ({ ...track, endSample: track.endSample! <= settled ? track.endSample : undefined })),
    });
    const mix = new MixReader(viewAt(0), 0, 0);
    const out = new Int16Array(end);
    let readTo = 0;
    for (let settled = stepSamples; settled < end; settled += stepSamples) {
      const view = viewAt(settled);
      mix.grow(view, settled, false);
      const toSample = settledMixEnd(view, settled);
      mix.read(out.subarray(readTo, toSample));
      readTo = toSample;
    }
    mix.grow(whole, end, true);
    mix.read(out.subarray(readTo));
    assert.deepEqual(out, expected, `steps of ${stepSamples}`);
  }
});

test('a recording without tracks is silence, read past its end too', () => {
  const out = readAll(new MixReader(testView([], { endSample: 5000 }), 5000, 0), 6000);
  assert.equal(
    out.some((sample) => sample !== 0),
    false,
  );
});
