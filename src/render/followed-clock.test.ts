import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { goertzelDbov } from '../audio/goertzel.ts';
import { parseWav, pcm16Samples } from '../container/wav-parser.ts';
import { GrowingRecording } from '../spool/growing-recording.ts';
import { openSpool } from '../spool/reader.ts';
import type { SpoolRecord } from '../spool/records.ts';
import { ChannelReader } from './channel.ts';
import { GrowingSignal } from './growing-signal.ts';
import { recordingView } from './recording-view.ts';
import { openRendition } from './rendition.ts';
import { TestGrowingRecording } from './test-growing-recording.ts';
import { readAll, testNoise, testStream, testTone, testTrack } from './test-track.ts';

const seconds = 150;
const clapSeconds = Array.from({ length: 29 }, (_, index) => 5 * (index + 1));
const jitter = testNoise(10_000, 4000, 9);

/** What a party says whose seconds are longer by so much: claps at the same moments of the room, over a low tone. */
function party(ppm: number, ssrc: number): { records: SpoolRecord[]; decoded: Int16Array } {
  const speed = 1 + ppm / 1e6;
  const samples = testTone(seconds * 8000, 300, 3000);
  for (const second of clapSeconds) {
    const at = Math.round((second * 8000) / speed);
    for (let k = 0; k < 8; k++) samples[at + k] = k % 2 ? -28_000 : 28_000;
  }
  return testStream(samples, {
    ssrc,
    arrivalUs: (k) => Math.round(60_000 + k * 20_000 * speed + (k === 0 ? 0 : Math.abs(jitter[k]!))),
  });
}

/** Where a clap begins in a channel, in ms. */
function clapMs(channel: Int16Array, second: number): number {
  const from = Math.round((second + 0.03) * 8000);
  const at = channel.subarray(from, from + 800).findIndex((sample) => Math.abs(sample) > 14_000);
  assert.ok(at >= 0, `there is a clap after ${second} s`);
  return (from + at) / 8;
}

const slow = party(150, 1);
const fast = party(-150, 2);
const endUs = seconds * 1_000_000;
const talks = [slow, fast].map(({ records }, index) => ({ trackId: 'ab'[index]!, records, leaveUs: endUs }));
const recording = new TestGrowingRecording(talks);
after(() => recording.spool.remove());

test('through the spool: claps of two parties 300 ppm apart stay together, and what was given is never revised', async () => {
  const { spool } = recording;
  const growing = new GrowingRecording(spool.path('room'), 'A', spool.masterKey);
  const heard = new Map<string, Int16Array[]>();
  const signal = new GrowingSignal({
    ...{ recording: growing, stereo: false, clock: spool.clock },
    tap: (trackId, samples) => {
      heard.set(trackId, [...(heard.get(trackId) ?? []), samples.slice()]);
    },
  });
  for (let timeUs = 400_000; timeUs < endUs; timeUs += 400_000) {
    spool.clock.advanceUs(400_000);
    recording.until(timeUs);
    recording.settle();
    for (const _ of signal.advance());
  }
  recording.end(endUs);
  for (const _ of signal.advance());
  const view = recordingView(openSpool(spool.path('room'), 'A', spool.masterKey));
  const channels: Int16Array[] = [];
  for (const [trackId, parts] of heard) {
    const rendition = openRendition(view, { kind: 'channel', trackId, format: 'wav' });
    const bytes = Buffer.concat(await Array.fromAsync(rendition.read()));
    const whole = pcm16Samples(parseWav(bytes).data);
    const given = Int16Array.from(parts.flatMap((part) => [...part]));
    assert.deepEqual(given, whole.subarray(0, given.length), `${trackId}: along with the call and behind it`);
    assert.ok(given.length >= whole.length - 1);
    const middle = Buffer.concat(await Array.fromAsync(rendition.read(1_600_044, 1_640_044)));
    assert.ok(middle.equals(bytes.subarray(1_600_044, 1_640_044)), 'a part is the same as in the whole');
    channels.push(whole);
  }
  for (const second of clapSeconds.filter((each) => each >= 60)) {
    const [one = 0, other = 99] = channels.map((channel) => clapMs(channel, second));
    assert.ok(Math.abs(one - other) < 2, `after ${second} s: ${one} and ${other} ms`);
    assert.ok(Math.abs(one - second * 1000 - 60) < 4);
  }
});

test('until 2 ms have added up every sample is as it was decoded', () => {
  const { records, decoded } = slow;
  const channel = readAll(new ChannelReader(testTrack('a', records), { rateHz: 8000 }, 0), 10 * 8000);
  assert.deepEqual(channel.subarray(480), decoded.subarray(0, 10 * 8000 - 480));
});

/** How far a tone of 1 kHz is from going on as it does, at its worst. */
function worstStep(channel: Int16Array, rateHz: number, fromSecond: number, toSecond: number): number {
  const bend = 2 * Math.cos((2 * Math.PI * 1000) / rateHz);
  let worst = 0;
  for (let k = Math.round(fromSecond * rateHz); k < toSecond * rateHz; k++)
    worst = Math.max(worst, Math.abs(channel[k + 1]! - bend * channel[k]! + channel[k - 1]!));
  return worst;
}

function toneChannel(rateHz: number, speed: number, isLost: (k: number) => boolean): Int16Array {
  const arrivalUs = (k: number) => (isLost(k) ? undefined : Math.round(k * 20_000 * speed));
  const { records } = testStream(testTone(90 * 8000, 1000, 9000), { arrivalUs });
  return readAll(new ChannelReader(testTrack('a', records), { rateHz }, 0), 90 * rateHz);
}

for (const rateHz of [8000, 16_000, 48_000]) {
  test(`at ${rateHz} Hz, where correction begins and goes on, nothing clicks and no pitch moves`, () => {
    for (const speed of [1.000_25, 0.999_75]) {
      const channel = toneChannel(rateHz, speed, () => false);
      const before = worstStep(channel, rateHz, 1, 24);
      const worst = worstStep(channel, rateHz, 24, 88);
      assert.ok(worst < 1.2 * before + 15, `${worst} against ${before}`);
      // Behind the catching up the tone is as high as the party's clock makes it.
      const level = (frequencyHz: number): number =>
        goertzelDbov(channel, { rateHz, frequencyHz }, 78 * rateHz, 88 * rateHz);
      assert.ok(level(1000 / speed) > -14.6 && level(1000) < level(1000 / speed) - 8);
    }
  });

  test(`at ${rateHz} Hz a loss is concealed as it is without drift`, () => {
    const isLost = (k: number): boolean => k > 2000 && k % 100 === 7;
    const worst = (speed: number): number => worstStep(toneChannel(rateHz, speed, isLost), rateHz, 40, 58);
    const unmoved = worst(1);
    assert.ok(worst(1.000_25) < 1.5 * unmoved + 15, `${worst(1.000_25)} against ${unmoved}`);
    const channel = toneChannel(rateHz, 1.000_25, isLost);
    for (let k = 2007; k < 2900; k += 100) {
      const from = Math.round(k * 0.02 * rateHz);
      const part = channel.subarray(from, from + 0.02 * rateHz);
      assert.ok(Math.max(...part) > 6000, `packet ${k}`);
    }
  });
}
