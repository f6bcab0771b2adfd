import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CallreelError } from '../errors.ts';
import { AacEncoder, defaultAacBitRateKbps } from './aac.ts';
import { Mp4Encoder, type Mp4Shape, mp4Bytes } from './mp4.ts';
import { editOf, fragmentFrames, inner, wholeBoxes } from './test-mp4.ts';
import { playMp4 } from './test-mp4-playback.ts';
import { distanceDb, isSameAudio, testTones, toneDb } from './test-signal.ts';

function shapeOf(rateHz: 8000 | 16_000 | 48_000, channels: 1 | 2, samples: number): Mp4Shape {
  return { rateHz, channels, samples, bitRateKbps: defaultAacBitRateKbps(rateHz, channels) };
}

function encode(signal: Int16Array, shape: Mp4Shape, chunk = signal.length): Buffer {
  const encoder = new Mp4Encoder(shape);
  const parts = [encoder.head()];
  for (let at = 0; at < signal.length; at += chunk)
    parts.push(encoder.encode(signal.subarray(at, at + chunk)));
  parts.push(encoder.finish());
  return Buffer.concat(parts);
}

test('the file is exactly as long as announced, at every length, rate and number of channels', () => {
  for (const rateHz of [8000, 16_000, 48_000] as const)
    for (const channels of [1, 2] as const)
      for (const samples of [0, 1, 1023, 1024, 1025, 20_001, 11 * rateHz]) {
        const shape = shapeOf(rateHz, channels, samples);
        assert.equal(encode(new Int16Array(samples * channels), shape).length, mp4Bytes(shape));
      }
});

test('all frames are where the file says, behind an index, an edit and a duration that fit', () => {
  const samples = 25 * 16_000 + 7;
  const shape = shapeOf(16_000, 2, samples);
  const signal = testTones(samples, 16_000, 440, 700);
  const file = encode(signal, shape);
  const encoder = new AacEncoder(shape);
  const expected = [...encoder.encode(signal), ...encoder.finish()];
  const { frames, decodeTimes } = fragmentFrames(file);
  assert.ok(Buffer.concat(frames).equals(Buffer.concat(expected)));
  assert.deepEqual(editOf(file), { samples, fromSample: 1024 });
  assert.equal(Number(inner(file, 'moov', 'mvex', 'mehd').readBigUInt64BE(4)), samples);
  const { boxes, end } = wholeBoxes(file);
  assert.equal(end, file.length);
  const kinds = boxes.map(({ type }) => type).join(' ');
  assert.equal(kinds, 'ftyp free moov sidx moof mdat moof mdat moof mdat');
  const index = inner(file, 'sidx');
  assert.equal(index.readUInt16BE(30), decodeTimes.length);
  // The first frame comes before the audio and is not played.
  let [at, time] = [boxes[4]!.at, 1024];
  for (const [k, decodeTime] of decodeTimes.entries()) {
    assert.deepEqual([k === 0 ? 1024 : decodeTime, boxes[4 + 2 * k]!.at], [time, at]);
    at += index.readUInt32BE(32 + 12 * k);
    time += index.readUInt32BE(36 + 12 * k);
  }
  assert.deepEqual([at, time], [file.length, 1024 + samples]);
  const lastRun = inner(boxes.at(-2)!.body, 'traf', 'trun');
  assert.equal(lastRun.readUInt32BE(lastRun.length - 8), 1024 + samples - (frames.length - 1) * 1024);
});

test('plays back at its rate with its exact number of samples, in place', async () => {
  for (const rateHz of [8000, 16_000, 48_000] as const)
    for (const channels of [1, 2] as const)
      for (const samples of [1, 1023, 1024, 1025, 3 * rateHz + 11, 11 * rateHz]) {
        const signal = testTones(samples, rateHz, ...[440, 700].slice(0, channels));
        const played = await playMp4(encode(signal, shapeOf(rateHz, channels, samples)));
        assert.deepEqual(
          [played.rateHz, ...played.channels.map(({ length }) => length)],
          [rateHz, ...Array(channels).fill(samples)],
        );
        if (samples < rateHz) continue;
        for (const [side, pcm] of played.channels.entries()) {
          const distance = distanceDb(signal, pcm, side, channels);
          assert.ok(distance > 40, `${rateHz} Hz, channel ${side} of ${channels}: ${distance.toFixed(1)} dB`);
        }
      }
});

test('stereo: what is on one side is not heard on the other, alone or beside another tone', async () => {
  for (const rateHz of [8000, 16_000, 48_000] as const)
    for (const tones of [
      [440, 0],
      [0, 700],
      [440, 700],
    ] as const) {
      const samples = 3 * rateHz + 11;
      const file = encode(testTones(samples, rateHz, ...tones), shapeOf(rateHz, 2, samples));
      const { channels } = await playMp4(file);
      for (const [side, hertz] of tones.entries()) {
        if (hertz === 0) continue;
        const heard = toneDb(channels[side]!, rateHz, hertz);
        const bled = toneDb(channels[1 - side]!, rateHz, hertz);
        assert.ok(Math.abs(heard + 11.7) < 0.5, `${heard.toFixed(1)} dB`);
        assert.ok(heard - bled > 60, `${rateHz} Hz: ${hertz} Hz only ${(heard - bled).toFixed(1)} dB below`);
      }
    }
});

test('cut off at any byte it plays up to the last fragment that is there whole', async () => {
  const samples = 25 * 8000 + 7;
  const file = encode(testTones(samples, 8000, 440, 700), shapeOf(8000, 2, samples));
  const whole = await playMp4(file);
  // `sidx` is the fourth box.
  const head = wholeBoxes(file).boxes[3]!.end;
  let frames = 0;
  for (let length = head; length < file.length; length += 1) {
    const cut = file.subarray(0, length);
    const there = fragmentFrames(cut).frames.length;
    if (there === frames) continue;
    frames = there;
    const { channels } = await playMp4(cut);
    for (const [side, pcm] of channels.entries()) {
      assert.equal(pcm.length, (frames - 1) * 1024);
      assert.ok(isSameAudio(pcm, whole.channels[side]!.subarray(0, pcm.length)));
    }
  }
  assert.ok(frames * 1024 >= 20 * 8000);
});

test('chunks of any size give the same bytes, and silence in front those of silence that was encoded', () => {
  const shape = shapeOf(8000, 1, 200_000);
  const signal = new Int16Array(200_000);
  signal.set(testTones(20_000, 8000, 440), 180_000);
  const whole = encode(signal, shape);
  for (const chunk of [160, 4096]) assert.ok(encode(signal, shape, chunk).equals(whole));
  const encoder = new Mp4Encoder(shape);
  const parts = [encoder.head(), ...encoder.encodeLeadingSilence(180_000)];
  parts.push(encoder.encode(signal.subarray(180_000)), encoder.finish());
  assert.ok(Buffer.concat(parts).equals(whole));
});

test('a shape that does not fit is refused, and a wrong number of samples noticed', () => {
  const isRefusal = (error: unknown) => error instanceof CallreelError && error.code === 'REQUEST_INVALID';
  assert.throws(() => mp4Bytes(shapeOf(11_025 as 8000, 1, 1)), isRefusal);
  assert.throws(() => new Mp4Encoder({ ...shapeOf(8000, 1, 1), bitRateKbps: 64 }), isRefusal);
  const encoder = new Mp4Encoder(shapeOf(8000, 1, 10));
  encoder.encode(new Int16Array(9));
  assert.throws(() => encoder.finish(), TypeError);
});
