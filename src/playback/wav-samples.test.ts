import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeAlaw, encodeUlaw } from '../codec/g711.ts';
import { parseWav } from '../container/wav-parser.ts';
import { wavFile } from './test-audio.ts';
import { clipped, monoSamples } from './wav-samples.ts';

/** Values that every linear format of 8 bits and more can hold exactly. */
const samples = [0, 256, -256, 16_384, -16_384, 32_512, -32_768];

type Writer = (bytes: Buffer, sample: number, offset: number) => void;

const formats: readonly [name: string, formatTag: number, bits: number, write: Writer][] = [
  ['pcm8', 1, 8, (bytes, sample, at) => bytes.writeUInt8(sample / 256 + 128, at)],
  ['pcm16', 1, 16, (bytes, sample, at) => bytes.writeInt16LE(sample, at)],
  ['pcm24', 1, 24, (bytes, sample, at) => bytes.writeIntLE(sample * 256, at, 3)],
  ['pcm32', 1, 32, (bytes, sample, at) => bytes.writeInt32LE(sample * 65_536, at)],
  ['float32', 3, 32, (bytes, sample, at) => bytes.writeFloatLE(sample / 32_768, at)],
  ['float64', 3, 64, (bytes, sample, at) => bytes.writeDoubleLE(sample / 32_768, at)],
];

for (const [name, formatTag, bits, write] of formats) {
  const bytesPerSample = bits / 8;
  const encoded = (values: readonly number[]) => {
    const data = Buffer.alloc(values.length * bytesPerSample);
    values.forEach((value, k) => {
      write(data, value, k * bytesPerSample);
    });
    return data;
  };

  test(`${name} gives its samples exactly`, () => {
    const wav = parseWav(wavFile({ formatTag, bits, channels: 1, rateHz: 8000 }, encoded(samples)));
    assert.equal(wav.encoding, name);
    assert.deepEqual([...monoSamples(wav)], samples);
  });

  test(`${name}: channels become their mean, and a frame that is cut off is left out`, () => {
    const data = encoded([1024, 3072, -512, -1536, 0]);
    const wav = parseWav(wavFile({ formatTag, bits, channels: 2, rateHz: 8000 }, data));
    assert.deepEqual([...monoSamples(wav)], [2048, -1024]);
  });
}

test('G.711, mono and stereo', () => {
  const linear = Int16Array.of(0, 8000, -8000, 32_000);
  for (const [formatTag, encode] of [
    [6, encodeAlaw],
    [7, encodeUlaw],
  ] as const) {
    const data = new Uint8Array(4);
    encode(linear, data);
    const mono = monoSamples(parseWav(wavFile({ formatTag, bits: 8, channels: 1, rateHz: 8000 }, data)));
    mono.forEach((sample, k) => {
      assert.ok(Math.abs(sample - linear[k]!) <= 512, `${sample} for ${linear[k]}`);
    });
    const stereo = monoSamples(parseWav(wavFile({ formatTag, bits: 8, channels: 2, rateHz: 8000 }, data)));
    assert.deepEqual(
      [...stereo],
      [Math.round((mono[0]! + mono[1]!) / 2), Math.round((mono[2]! + mono[3]!) / 2)],
    );
  }
});

test('floating point beyond its range is clipped, and what is no number is silent', () => {
  assert.deepEqual(
    [1e9, -1e9, Number.NaN, Infinity, 0.4, -0.4].map(clipped),
    [32_767, -32_768, 0, 32_767, 0, 0],
  );
});
