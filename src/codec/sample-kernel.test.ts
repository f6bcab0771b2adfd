import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeAlaw, decodeUlaw } from './g711.ts';
import { maxKernelSamples, sampleKernel } from './sample-kernel.ts';

const decoders = { ulaw: decodeUlaw, alaw: decodeAlaw };

test('every code of both laws is what the table says, wherever it stands', () => {
  for (const law of ['ulaw', 'alaw'] as const)
    for (let turn = 0; turn < 16; turn++) {
      const bytes = Uint8Array.from({ length: 256 }, (_, at) => (at + turn) & 0xff);
      const out = new Int16Array(256);
      sampleKernel().decode(law, { bytes, count: 1, payloadBytes: 256, strideBytes: 256 }, out, 0);
      const expected = new Int16Array(256);
      decoders[law](bytes, expected);
      assert.deepEqual(out, expected, `${law} ${turn}`);
    }
});

test('payloads of any length and distance, more than it takes at once, and nothing beyond them', () => {
  for (const law of ['ulaw', 'alaw'] as const)
    for (const [count, payloadBytes, strideBytes] of [
      [1, 1, 1],
      [3, 15, 30],
      [40, 160, 175],
      [700, 80, 95],
      [300, 240, 255],
      [9, 8000, 8015],
      [4000, 33, 33],
    ] as const) {
      const length = (count - 1) * strideBytes + payloadBytes;
      const bytes = Uint8Array.from({ length }, (_, at) => (at * 37 + (at >> 8)) & 0xff);
      const samples = count * payloadBytes;
      const out = new Int16Array(samples + 7).fill(7);
      sampleKernel().decode(law, { bytes, count, payloadBytes, strideBytes }, out, 3);
      const expected = new Int16Array(samples + 7).fill(7);
      for (let index = 0; index < count; index++) {
        const at = index * strideBytes;
        decoders[law](bytes.subarray(at, at + payloadBytes), expected, 3 + index * payloadBytes);
      }
      assert.deepEqual(out, expected, `${law}, ${count} of ${payloadBytes}`);
    }
});

test('two sides are put together, of any length', () => {
  const kernel = sampleKernel();
  for (const count of [0, 1, 7, 8, 9, 15, 16, 17, 1000, maxKernelSamples]) {
    const left = Int16Array.from({ length: count }, (_, k) => (k * 7919) << 3);
    const right = Int16Array.from({ length: count }, (_, k) => -1 - k * 104_729);
    kernel.left.set(left);
    kernel.right.set(right);
    const out = new Int16Array(2 * count + 9).fill(5);
    kernel.interleave(count, out, 4);
    const expected = new Int16Array(2 * count + 9).fill(5);
    for (let k = 0; k < count; k++) {
      expected[4 + 2 * k] = left[k]!;
      expected[5 + 2 * k] = right[k]!;
    }
    assert.deepEqual(out, expected, `${count}`);
  }
});
