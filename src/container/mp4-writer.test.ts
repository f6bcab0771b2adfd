import assert from 'node:assert/strict';
import { test } from 'node:test';
import decodeFile from '@audio/decode-aac';
import { AacEncoder, defaultAacBitRateKbps } from './aac.ts';
import { Mp4Writer } from './mp4-writer.ts';
import { editOf, fragmentFrames, inner, movieFrames, wholeBoxes } from './test-mp4.ts';
import { playMp4 } from './test-mp4-playback.ts';
import { distanceDb, fileOf, isSameAudio, testTones, toneDb } from './test-signal.ts';

const samples = 5 * 8000 + 77;
const shape = { rateHz: 8000, channels: 2 } as const;
const signal = testTones(samples, 8000, 440, 700);

function framesOf(): Uint8Array[] {
  const encoder = new AacEncoder({ ...shape, bitRateKbps: defaultAacBitRateKbps(8000, 2) });
  return [...encoder.encode(signal), ...encoder.finish()];
}

function grown(): { writer: Mp4Writer; file: Buffer } {
  const writer = new Mp4Writer(shape);
  const parts = writer.refresh();
  for (let at = 0; at < signal.length; at += 320) parts.push(...writer.write(signal.subarray(at, at + 320)));
  return { writer, file: fileOf(parts) };
}

test('cut off at any byte, a growing file is whole boxes and every frame of its whole fragments', () => {
  const { file } = grown();
  const frames = framesOf();
  const head = wholeBoxes(file).boxes[2]!.end;
  let most = 0;
  for (let length = head; length <= file.length; length += 1) {
    const cut = file.subarray(0, length);
    const { boxes, end } = wholeBoxes(cut);
    assert.deepEqual([...boxes.slice(0, 3).map(({ type }) => type)], ['ftyp', 'free', 'moov']);
    const there = fragmentFrames(cut).frames;
    assert.ok(there.every((frame, k) => frame.equals(frames[k]!)));
    // A fragment is at most a second: never more than that is missing.
    assert.ok(length - end <= 9000, `${length - end} bytes are of no use`);
    assert.ok(there.length >= most);
    most = there.length;
  }
  assert.ok(most * 1024 > samples - 8192 - 2048);
});

test('cut off at any byte it plays what it would play whole, up to a second and what the encoder holds', async () => {
  const { writer, file } = grown();
  const parts = writer.finish();
  const finished = fileOf([{ at: 0, bytes: file }, ...parts]);
  const whole = await playMp4(finished);
  let frames = 0;
  for (let length = wholeBoxes(file).boxes[2]!.end; length <= file.length; length += 1) {
    const cut = file.subarray(0, length);
    const there = fragmentFrames(cut).frames.length;
    if (there === frames) continue;
    frames = there;
    const played = await playMp4(cut);
    assert.equal(played.rateHz, 8000);
    for (const [side, pcm] of played.channels.entries()) {
      assert.equal(pcm.length, (frames - 1) * 1024);
      assert.ok(isSameAudio(pcm, whole.channels[side]!.subarray(0, pcm.length)));
    }
  }
  assert.ok((frames - 1) * 1024 >= samples - 8192 - 2623);
});

test('finished it plays at its rate with its exact number of samples, in place, each side alone', async () => {
  for (const rateHz of [8000, 16_000, 48_000] as const)
    for (const tones of [[440], [440, 0], [0, 700], [440, 700]]) {
      const channels = tones.length === 2 ? 2 : 1;
      const length = 3 * rateHz + 11;
      const toned = testTones(length, rateHz, ...tones);
      const open = new Mp4Writer({ rateHz, channels });
      const bytes = fileOf([...open.write(toned), ...open.finish()]);
      const played = await playMp4(bytes);
      // Once more by the container reader of the decoder's own package.
      const { channelData, sampleRate } = await decodeFile(bytes);
      assert.deepEqual([played.rateHz, sampleRate], [rateHz, rateHz]);
      assert.ok(played.channels.every((pcm, side) => isSameAudio(pcm, channelData[side]!)));
      for (const [side, hertz] of tones.entries()) {
        const pcm = played.channels[side]!;
        assert.equal(pcm.length, length);
        if (hertz === 0) continue;
        const distance = distanceDb(toned, pcm, side, channels);
        assert.ok(distance > 40, `${rateHz} Hz, ${tones}, channel ${side}: ${distance.toFixed(1)} dB`);
        if (channels === 1) continue;
        const bled = toneDb(pcm, rateHz, hertz) - toneDb(played.channels[1 - side]!, rateHz, hertz);
        assert.ok(bled > 60, `${rateHz} Hz: ${hertz} Hz only ${bled.toFixed(1)} dB below`);
      }
    }
});

test('from its first byte on it says twice where the audio begins: some players follow the one, some the other', () => {
  const { writer, file } = grown();
  assert.deepEqual(editOf(file), { samples: 0, fromSample: 1024 });
  const noteOf = (bytes: Buffer): number[] => {
    const items = inner(bytes, 'moov', 'udta', 'meta').subarray(4);
    const text = inner(items, 'ilst', '----', 'data').toString('latin1', 8);
    return text
      .trim()
      .split(' ')
      .map((hex) => Number.parseInt(hex, 16));
  };
  assert.deepEqual(noteOf(file), [0, 1024, 0, 0x7fffffff], 'to an end that is not known');
  const finished = fileOf([{ at: 0, bytes: file }, ...writer.finish()]);
  assert.deepEqual(noteOf(finished), [0, 1024, -(samples + 1024) & 1023, samples]);
});

test('what was refreshed is there but for what the encoder holds', () => {
  const { writer, file } = grown();
  const before = fragmentFrames(file).frames.length;
  const [part] = writer.refresh();
  const refreshed = Buffer.concat([file, part!.bytes]);
  const after = fragmentFrames(refreshed).frames.length;
  assert.ok(after > before);
  assert.ok(after * 1024 - 1024 >= samples - 2623);
  assert.deepEqual(writer.refresh(), []);
});

test('finished it is a plain file of exact length with all frames, and no fragment to be seen', () => {
  const writer = new Mp4Writer(shape);
  const file = fileOf([...writer.write(signal), ...writer.finish()]);
  assert.equal(writer.samples, samples);
  assert.equal(writer.byteLength, file.length);
  const { boxes, end } = wholeBoxes(file);
  assert.deepEqual([...boxes.map(({ type }) => type), end], ['ftyp', 'mdat', 'moov', file.length]);
  assert.deepEqual(
    movieFrames(file).map((frame) => Buffer.from(frame)),
    framesOf().map((frame) => Buffer.from(frame)),
  );
  assert.deepEqual(editOf(file), { samples, fromSample: 1024 });
  assert.equal(Number(inner(file, 'moov', 'mvhd').readBigUInt64BE(24)), samples);
});

test('cut off while it is finished, it still has its fragments', () => {
  const writer = new Mp4Writer(shape);
  const growing = fileOf(writer.write(signal));
  const last = writer.finish();
  const frames = framesOf();
  const appended = last.filter(({ at }) => at >= growing.length);
  const whole = Buffer.concat([growing, ...appended.map(({ bytes }) => bytes)]);
  const fragments = appended[0]!.at + appended[0]!.bytes.length;
  for (let length = fragments; length <= whole.length; length += 1)
    assert.equal(fragmentFrames(whole.subarray(0, length)).frames.length, frames.length);
});

test('a file without a sample is a file', () => {
  const writer = new Mp4Writer(shape);
  const file = fileOf(writer.finish());
  assert.equal(writer.byteLength, file.length);
  assert.equal(editOf(file).samples, 0);
});
