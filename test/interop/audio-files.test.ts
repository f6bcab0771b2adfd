import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { defaultAacBitRateKbps } from '../../src/container/aac.ts';
import { openAudioFile } from '../../src/container/audio-file.ts';
import { Mp4Encoder } from '../../src/container/mp4.ts';
import { fragmentFrames } from '../../src/container/test-mp4.ts';
import { fileOf, testTones } from '../../src/container/test-signal.ts';
import type { FilePart } from '../../src/container/writer.ts';
import { toneLevelDbov } from '../../src/testkit/tone-level.ts';
import { ensurePackages } from './debian.ts';
import { decode, probe } from './ffmpeg.ts';
import { type TemporaryFolder, temporaryFolder } from './temporary-folder.ts';

let folder: TemporaryFolder;
before(async () => {
  await ensurePackages('ffmpeg');
  folder = await temporaryFolder('audio-files');
});
after(() => folder.remove());

const rates = [8000, 16_000, 48_000] as const;
const codecs = { wav: 'pcm_s16le', mp3: 'mp3', mp4: 'aac' };
/**
 * FFmpeg gives out the rest of the last AAC frame, whatever the edit list says. In a fragmented file it counts the
 * frame before the audio as part of its length.
 */
const aacFrameSamples = 1024;

type RateHz = (typeof rates)[number];
type Format = keyof typeof codecs;

function save(name: string, bytes: Uint8Array): string {
  const path = folder.file(name);
  writeFileSync(path, bytes);
  return path;
}

function grown(format: Format, rateHz: RateHz, signal: Int16Array): Buffer {
  const writer = openAudioFile({ format, rateHz, channels: 2 });
  const parts = [];
  const step = rateHz / 25;
  for (let at = 0; at < signal.length; at += step)
    parts.push(...writer.write(signal.subarray(at, at + step)));
  parts.push(...writer.finish());
  return fileOf(parts);
}

function rendered(rateHz: RateHz, signal: Int16Array): Buffer {
  const shape = {
    rateHz,
    channels: 2,
    bitRateKbps: defaultAacBitRateKbps(rateHz, 2),
    samples: signal.length / 2,
  } as const;
  const encoder = new Mp4Encoder(shape);
  return Buffer.concat([encoder.head(), encoder.encode(signal), encoder.finish()]);
}

/** Level of the difference below the level of the signal, in dB, away from both ends. */
function distanceDb(signal: Int16Array, side: number, decoded: Int16Array): number {
  let [power, error] = [0, 0];
  for (let k = 3000; k < signal.length / 2 - 3000; k += 1) {
    const sample = signal[2 * k + side]!;
    power += sample ** 2;
    error += (sample - decoded[k]!) ** 2;
  }
  return 10 * Math.log10(power / error);
}

async function assertFile(
  path: string,
  format: Format,
  rateHz: RateHz,
  tones: readonly [number, number],
  countedBefore = 0,
): Promise<void> {
  const samples = 3 * rateHz + 11;
  const signal = testTones(samples, rateHz, ...tones);
  const { codec, seconds, startSeconds: _, ...shape } = await probe(path);
  assert.deepEqual({ codec, ...shape }, { codec: codecs[format], rateHz, channels: 2 });
  // FFmpeg counts MP3 by its frames, whatever their Info frame says.
  if (format !== 'mp3') assert.equal(Math.round(seconds * rateHz), samples + countedBefore);
  const { pcm, complaints } = await decode(path, 2);
  assert.equal(complaints, '');
  const beyond = pcm[0]!.length - samples;
  if (format === 'mp4') assert.ok(beyond >= 0 && beyond < aacFrameSamples, `${beyond} samples too many`);
  else assert.equal(beyond, 0);
  for (const [side, frequencyHz] of tones.entries()) {
    if (frequencyHz === 0) continue;
    const distance = distanceDb(signal, side, pcm[side]!);
    assert.ok(distance > 25, `${format}, ${rateHz} Hz, side ${side}: ${distance.toFixed(1)} dB`);
    const heard = toneLevelDbov(pcm[side]!.subarray(rateHz, 2 * rateHz), rateHz, frequencyHz);
    const bled = toneLevelDbov(pcm[1 - side]!.subarray(rateHz, 2 * rateHz), rateHz, frequencyHz);
    assert.ok(
      heard - bled > 60,
      `${format}, ${rateHz} Hz: ${frequencyHz} Hz only ${(heard - bled).toFixed(1)} dB below`,
    );
  }
}

for (const rateHz of rates)
  for (const tones of [
    [440, 0],
    [0, 700],
    [440, 700],
  ] as const) {
    const signal = testTones(3 * rateHz + 11, rateHz, ...tones);
    for (const format of ['wav', 'mp3', 'mp4'] as const)
      test(`${format} at ${rateHz} Hz with ${tones} Hz: its length, in place, each side alone`, async () => {
        await assertFile(save(`grown.${format}`, grown(format, rateHz, signal)), format, rateHz, tones);
      });
    test(`mp4 made in one go at ${rateHz} Hz with ${tones} Hz: its length, in place, each side alone`, async () => {
      await assertFile(save('rendered.mp4', rendered(rateHz, signal)), 'mp4', rateHz, tones, aacFrameSamples);
    });
  }

/** Samples that must play at least of a growing file that was cut off. */
const playable = {
  wav: (cut: Buffer) => Math.min((cut.length - 80) >> 2, cut.readUInt32LE(76) >> 2),
  mp3: (cut: Buffer) => Math.min(cut.readUInt32BE(29), Math.floor(cut.length / 576) - 2) * 576 - 1105,
  mp4: (cut: Buffer) => (fragmentFrames(cut).frames.length - 1) * aacFrameSamples,
};

/** What the file was as parts were written, and as it is where the last of them was not written whole. */
function* cutOff(
  parts: readonly FilePart[],
  counts: readonly number[],
): Generator<{ cut: Buffer; label: string }> {
  for (const count of counts) {
    const whole = fileOf(parts.slice(0, count));
    const { at, bytes } = parts[count - 1]!;
    const isAppended = at + bytes.length === whole.length;
    for (const missing of isAppended ? [0, 1, bytes.length >> 2, bytes.length >> 1, bytes.length - 1] : [0])
      yield {
        cut: whole.subarray(0, whole.length - missing),
        label: `${count} of ${parts.length} parts without ${missing} bytes`,
      };
  }
}

for (const format of ['wav', 'mp3', 'mp4'] as const)
  test(`a growing ${format} that was cut off plays what is there, in place`, async () => {
    const signal = testTones(4 * 8000, 8000, 440, 700);
    const writer = openAudioFile({ format, rateHz: 8000, channels: 2 });
    const parts = writer.refresh();
    for (let at = 0; at < signal.length; at += 320)
      parts.push(...writer.write(signal.subarray(at, at + 320)));
    const growing = parts.length;
    parts.push(...writer.finish());
    const counts = [0.3, 0.45, 0.6, 0.75, 0.9].map((share) => Math.ceil(share * growing));
    // And every state while the file is finished.
    for (let count = growing; count <= parts.length; count += 1) counts.push(count);
    for (const { cut, label } of cutOff(parts, counts)) {
      const isFragmented = format === 'mp4' && cut.toString('latin1', 32, 36) === 'free';
      const least = format === 'mp4' && !isFragmented ? signal.length / 2 : playable[format](cut);
      const path = save(`cut.${format}`, cut);
      if (format !== 'mp3' && least > 0) assert.equal((await probe(path)).startSeconds, 0, label);
      const { pcm } = await decode(path, 2);
      assert.ok(pcm[0]!.length >= least, `${label}: ${pcm[0]!.length} of ${least} samples`);
      const there = signal.subarray(0, 2 * Math.max(0, least));
      if (there.length < 20_000) continue;
      for (const side of [0, 1]) {
        const distance = distanceDb(there, side, pcm[side]!);
        assert.ok(distance > 25, `${label}, side ${side}: ${distance.toFixed(1)} dB`);
      }
    }
  });
