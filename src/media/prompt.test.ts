import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { resample } from '../audio/resample.ts';
import type { PlayStart } from './control.ts';
import { Prompt } from './prompt.ts';

const ramp = (samples: number): Int16Array => Int16Array.from({ length: samples }, (_, i) => (i * 37) % 9001);

function promptOf(samples: Int16Array, options: Partial<PlayStart> = {}): Prompt {
  return new Prompt({ verb: 'play.start', legId: 'a', playId: 'p', samples, rateHz: 8000, ...options });
}

/** Everything the prompt gives, read in parts of any size. */
function readAll(prompt: Prompt, partSamples: number): number[] {
  const samples: number[] = [];
  while (!prompt.ended) {
    const out = new Int16Array(partSamples);
    samples.push(...out.subarray(0, prompt.read(out, 0)));
  }
  return samples;
}

describe('Prompt', () => {
  for (const partSamples of [1, 7, 160, 5000])
    it(`is the same read in parts of ${partSamples} samples, at any rate`, () => {
      const samples = ramp(4001);
      assert.deepEqual(readAll(promptOf(samples), partSamples), [...samples]);
      for (const rateHz of [16_000, 48_000] as const)
        assert.deepEqual(readAll(promptOf(samples, { rateHz }), partSamples), [
          ...resample(samples, rateHz, 8000),
        ]);
    });

  it('is nothing when it is empty, and something when it is a single sample', () => {
    for (const rateHz of [8000, 16_000, 48_000] as const) {
      const prompt = promptOf(new Int16Array(0), { rateHz, loop: true });
      assert.equal(prompt.ended, true);
      assert.equal(prompt.read(new Int16Array(160), 3), 3);
    }
    assert.equal(readAll(promptOf(Int16Array.of(5), { rateHz: 48_000 }), 160).length, 1);
  });

  it('begins anew in the middle of a part, as often as it takes', () => {
    const prompt = promptOf(Int16Array.of(1, 2, 3), { loop: true });
    const out = new Int16Array(10);
    assert.equal(prompt.read(out, 2), 10);
    assert.deepEqual([...out], [0, 0, 1, 2, 3, 1, 2, 3, 1, 2]);
    assert.equal(prompt.ended, false);
    prompt.read(out, 0);
    assert.deepEqual([...out], [3, 1, 2, 3, 1, 2, 3, 1, 2, 3]);
  });
});
