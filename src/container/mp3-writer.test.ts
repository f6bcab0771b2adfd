import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MPEGDecoder } from 'mpg123-decoder';
import { Mp3Encoder } from './mp3.ts';
import { defaultMp3BitRateKbps, mp3Bytes, mp3DelaySamples } from './mp3-frame.ts';
import { Mp3Writer } from './mp3-writer.ts';
import { fileOf, testTones } from './test-signal.ts';
import type { FilePart } from './writer.ts';

const bitRateKbps = defaultMp3BitRateKbps(2);

async function played(file: Uint8Array): Promise<Float32Array[]> {
  const decoder = new MPEGDecoder({ enableGapless: true });
  await decoder.ready;
  const { channelData } = decoder.decode(file);
  decoder.free();
  return channelData;
}

function grown(signal: Int16Array, rateHz: 8000 | 48_000): { writer: Mp3Writer; parts: FilePart[] } {
  const writer = new Mp3Writer({ rateHz, channels: 2, bitRateKbps });
  const parts = writer.refresh();
  const step = rateHz / 25;
  for (let at = 0; at < signal.length; at += step)
    parts.push(...writer.write(signal.subarray(at, at + step)));
  return { writer, parts };
}

test('at any moment, whole or cut off, a growing file plays in place all that its Info frame lists', async () => {
  const signal = testTones(16_000, 8000, 440, 700);
  const { parts } = grown(signal, 8000);
  const frameBytes = 576;
  for (let count = 20; count < parts.length; count += 3) {
    const file = fileOf(parts.slice(0, count));
    const listed = file.readUInt32BE(4 + 17 + 8);
    const there = Math.floor(file.length / frameBytes) - 1;
    assert.ok(listed <= there && (there - listed) * 576 <= 1600 + 576, `${listed} of ${there} frames`);
    for (const missing of [0, 1, 200]) {
      const [left, right] = await played(file.subarray(0, file.length - missing));
      const samples = left?.length ?? 0;
      assert.ok(
        samples >= Math.min(listed, there - 1) * 576 - mp3DelaySamples,
        `${samples} samples of ${listed}`,
      );
      for (const [side, pcm] of [left!, right!].entries())
        for (let k = 576; k < samples - 1152; k += 1)
          assert.ok(
            Math.abs(pcm[k]! - signal[2 * k + side]! / 32_768) < 0.05,
            `sample ${k} of ${count} parts`,
          );
    }
  }
});

test('what is in the encoder is as little as it says', () => {
  for (const [rateHz, frameBytes, frameSamples, most] of [
    [8000, 576, 576, 2480],
    [48_000, 192, 1152, 4784],
  ] as const) {
    const writer = new Mp3Writer({ rateHz, channels: 2, bitRateKbps });
    writer.refresh();
    for (let k = 0; k < 20_000; k += 1) {
      writer.write(Int16Array.of(k * 7, k * 11));
      const frames = Math.floor(writer.byteLength / frameBytes) - 1;
      const missing = writer.samples - (frames * frameSamples - mp3DelaySamples);
      assert.ok(missing <= most, `${missing} samples at ${rateHz} Hz`);
    }
  }
});

test('finished, the file is byte by byte the one whose length was known before', () => {
  for (const samples of [0, 1, 8000, 12_345]) {
    const signal = testTones(samples, 8000, 440, 700);
    const { writer, parts } = grown(signal, 8000);
    parts.push(...writer.finish());
    const shape = { rateHz: 8000, channels: 2, bitRateKbps, samples } as const;
    const encoder = new Mp3Encoder(shape);
    const file = fileOf(parts);
    assert.ok(file.equals(Buffer.concat([encoder.head(), encoder.encode(signal), encoder.finish()])));
    assert.deepEqual([writer.byteLength, file.length], [mp3Bytes(shape), mp3Bytes(shape)]);
  }
});
