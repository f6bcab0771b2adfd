import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileOf, testTones } from './test-signal.ts';
import { parseWav, pcm16Samples } from './wav-parser.ts';
import { WavWriter } from './wav-writer.ts';
import type { FilePart } from './writer.ts';

for (const rateHz of [8000, 16_000, 48_000] as const)
  for (const channels of [1, 2] as const)
    test(`${rateHz} Hz, ${channels}: at any moment the header lists what is there, at most a second behind`, () => {
      const signal = testTones(rateHz, 3 * rateHz, ...[440, 700].slice(0, channels));
      for (const chunkSamples of [rateHz / 50, rateHz / 3, rateHz]) {
        const writer = new WavWriter({ rateHz, channels });
        const parts: FilePart[] = writer.refresh();
        const step = Math.floor(chunkSamples) * channels;
        for (let at = 0; at < signal.length; at += step)
          parts.push(...writer.write(signal.subarray(at, at + step)));
        for (let count = 1; count <= parts.length; count += 1) {
          const file = fileOf(parts.slice(0, count));
          const there = (file.length - 80) / 2 / channels;
          const listed = file.readUInt32LE(76) / 2 / channels;
          assert.ok(listed <= there && there - listed <= rateHz, `${listed} of ${there}`);
          assert.equal(file.readUInt32LE(4), 72 + listed * 2 * channels);
        }
        parts.push(...writer.finish());
        const file = fileOf(parts);
        assert.equal(file.length, writer.byteLength);
        assert.deepEqual(pcm16Samples(parseWav(file).data), signal);
      }
    });

test('refreshed, the header lists everything; nothing new is no part', () => {
  const writer = new WavWriter({ rateHz: 8000, channels: 1 });
  const parts = writer.write(new Int16Array(100));
  parts.push(...writer.refresh());
  assert.equal(fileOf(parts).readUInt32LE(76), 200);
  assert.deepEqual(writer.refresh(), []);
});

test('the samples that were given may be used again', () => {
  const writer = new WavWriter({ rateHz: 8000, channels: 1 });
  const samples = Int16Array.of(1, 2, 3);
  const parts = writer.write(samples);
  samples.fill(9);
  assert.deepEqual([...pcm16Samples(fileOf(parts).subarray(80))], [1, 2, 3]);
});
