import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Limiter, limiterBlockSamples, limiterContext, limiterHistoryBlocks } from './limiter.ts';

const rateHz = 8000;
const block = limiterBlockSamples(rateHz);

function randomSource(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return (state >>> 8) / 2 ** 24;
  };
}

/** Noise at half scale with bursts up to `burst` times full scale here and there. */
function sums(samples: number, seed: number, burst = 3): Int32Array {
  const random = randomSource(seed);
  const out = new Int32Array(samples);
  let gain = 16_000;
  for (let i = 0; i < samples; i++) {
    if (random() < 0.002) gain = random() < 0.3 ? 32_768 * burst * random() : 16_000 * random();
    out[i] = Math.round(gain * (2 * random() - 1));
  }
  return out;
}

function limit(input: Int32Array, startSample = 0, pieces: number[] = [input.length || 1]): Int16Array {
  const limiter = new Limiter(rateHz, startSample);
  const out = new Int16Array(input.length);
  let written = 0;
  for (let read = 0, i = 0; read < input.length; i++) {
    const piece = input.subarray(read, read + pieces[i % pieces.length]!);
    read += piece.length;
    const room = new Int16Array(limiter.maxOutput(piece.length));
    const count = limiter.push(piece, room);
    out.set(room.subarray(0, count), written);
    written += count;
  }
  const room = new Int16Array(limiter.maxOutput(0));
  const rest = limiter.flush(room);
  out.set(room.subarray(0, rest), written);
  assert.equal(written + rest, input.length);
  return out;
}

/** From each border on, by turns, samples of full scale and sums that are too loud. */
function samplesAndSums(length: number, random: () => number): { input: Int32Array; borders: number[] } {
  const borders: number[] = [];
  const input = new Int32Array(length);
  for (let from = 0; from < length; ) {
    const to = Math.min(length, from + 1 + Math.floor(random() ** 3 * 9000));
    const loudest = borders.length % 2 === 0 ? 32_767 : 90_000;
    for (let i = from; i < to; i++) input[i] = Math.round(loudest * (2 * random() - 1));
    borders.push(from);
    from = to;
  }
  return { input, borders };
}

describe('identity', () => {
  test('a sum within full scale passes bit for bit, its extremes too', () => {
    const input = sums(20_000, 1).map((sum) => Math.max(-32_768, Math.min(32_767, sum)));
    input[777] = 32_767;
    input[778] = -32_768;
    assert.deepEqual(limit(input), Int16Array.from(input));
  });

  test('beyond the window around an overload nothing is touched', () => {
    for (const position of [0, 1, 79, 80, 4000, 4001, 9999]) {
      const input = Int32Array.from({ length: 12_000 }, (_, i) => (i % 1000) - 500);
      input[position] = -50_000;
      const output = limit(input);
      const overloaded = Math.floor(position / block);
      for (let i = 0; i < input.length; i++) {
        const distance = Math.floor(i / block) - overloaded;
        if (distance < -1 || distance > limiterHistoryBlocks)
          assert.equal(output[i], input[i], `${position}: ${i}`);
      }
      assert.equal(output[position], -32_768);
    }
  });
});

describe('limiting', () => {
  test('nothing wraps: signs stay and magnitudes never grow', () => {
    for (let seed = 0; seed < 20; seed++) {
      const input = sums(10_000, seed, 1 + seed);
      const output = limit(input);
      for (let i = 0; i < input.length; i++) {
        assert.ok(output[i]! * Math.sign(input[i]!) >= 0);
        assert.ok(Math.abs(output[i]!) <= Math.abs(input[i]!));
      }
    }
  });

  test('the largest sums there can be', () => {
    const input = Int32Array.from({ length: 800 }, (_, i) => (i % 2 ? 2 ** 31 - 1 : -(2 ** 31)));
    assert.deepEqual(
      limit(input),
      Int16Array.from(input, (sum) => (sum > 0 ? 32_767 : -32_767)),
    );
  });

  test('the gain moves without a step', () => {
    const input = new Int32Array(8000).fill(20_000);
    input.fill(60_000, 4000, 4400);
    const gains = Array.from(limit(input), (sample, i) => sample / input[i]!);
    for (let i = 1; i < gains.length; i++) assert.ok(Math.abs(gains[i]! - gains[i - 1]!) < 0.01);
    assert.ok(Math.abs(gains[4200]! - 32_767 / 60_000) < 0.001);
    assert.equal(gains[7999], 1);
  });
});

describe('locality', () => {
  const whole = sums(40_000, 7);
  const expected = limit(whole);

  test('pieces of any size give the same bytes', () => {
    for (const pieces of [[1], [80], [160], [79, 81], [1, 333, 4000]])
      assert.deepEqual(limit(whole, 0, pieces), expected);
  });

  test('any range rendered by itself with its context equals the whole', () => {
    const random = randomSource(99);
    let limited = 0;
    for (let round = 0; round < 300; round++) {
      const first = Math.floor(random() * whole.length);
      const end = first + 1 + Math.floor(random() * Math.min(3000, whole.length - first));
      const context = limiterContext(rateHz, first, end);
      const part = limit(whole.subarray(context.firstSample, context.endSample), context.firstSample);
      const range = part.subarray(first - context.firstSample, end - context.firstSample);
      assert.deepEqual(range, expected.subarray(first, end));
      if (range.some((sample, i) => sample !== whole[first + i])) limited++;
    }
    assert.ok(limited > 100, `only ${limited} of the ranges were limited at all`);
  });

  test('a stream may begin inside a block', () => {
    const lead = 10 * block + 33;
    const silent = new Int32Array(lead + whole.length);
    silent.set(whole, lead);
    assert.deepEqual(limit(whole, lead), limit(silent).subarray(lead));
  });

  test('what is never too loud may pass it by, and nothing else changes', () => {
    const random = randomSource(12);
    const { input, borders } = samplesAndSums(120_000, random);
    const limiter = new Limiter(rateHz);
    const out = new Int16Array(input.length);
    let [read, written, passed] = [0, 0, 0];
    const room = new Int16Array(limiter.maxOutput(3000));
    const put = (count: number): void => {
      out.set(room.subarray(0, count), written);
      written += count;
    };
    while (read < input.length) {
      const wanted = Math.min(input.length - read, 1 + Math.floor(random() * 3000));
      const context = limiterContext(rateHz, read, read + wanted);
      const nextSum =
        borders.find((_, k) => k % 2 === 1 && (borders[k + 1] ?? input.length) > read) ?? input.length;
      if (!limiter.isIdle || nextSum < context.endSample) {
        put(limiter.push(input.subarray(read, read + wanted), room));
      } else {
        if (!limiter.isEmpty) put(limiter.drain(room));
        assert.ok(limiter.isEmpty);
        assert.equal(written, read);
        out.set(input.subarray(read, read + wanted), written);
        limiter.pass(wanted);
        written += wanted;
        passed += wanted;
      }
      read += wanted;
    }
    put(limiter.flush(room));
    assert.equal(written, input.length);
    assert.deepEqual(out, limit(input));
    assert.ok(passed > 5000 && passed < input.length - 5000, `${passed}`);
  });

  test('nothing in, nothing out', () => {
    assert.equal(limit(new Int32Array(0)).length, 0);
    assert.equal(limit(new Int32Array(0), 1234).length, 0);
  });
});
