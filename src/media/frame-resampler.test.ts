import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type AudioRateHz, audioRatesHz, slotSamplesAt } from './codec-table.ts';
import { FrameResampler } from './frame-resampler.ts';
import { amplitudeAt } from './test-voice.ts';

/** Slot `n` of an endless tone. */
function toneSlot(n: number, rateHz: AudioRateHz, hertz = 1000): Int16Array {
  const samples = slotSamplesAt(rateHz);
  return Int16Array.from(
    { length: samples },
    (_, i) => 10_000 * Math.sin((2 * Math.PI * hertz * (n * samples + i)) / rateHz),
  );
}

const pairs = audioRatesHz.flatMap((from) =>
  audioRatesHz.filter((to) => to !== from).map((to) => [from, to] as const),
);

describe('FrameResampler', () => {
  for (const [fromHz, toHz] of pairs)
    it(`gives 20 ms for 20 ms from ${fromHz} to ${toHz}, one seamless tone`, () => {
      const resampler = new FrameResampler(fromHz, toHz);
      const out = new Int16Array(20 * slotSamplesAt(toHz));
      for (let n = 0; n < 20; n++) out.set(resampler.push(toneSlot(n, fromHz)), n * slotSamplesAt(toHz));
      const steady = out.subarray(slotSamplesAt(toHz));
      const amplitude = amplitudeAt(steady, 1000, toHz);
      const rms = Math.sqrt(steady.reduce((sum, sample) => sum + sample ** 2, 0) / steady.length);
      assert.ok(Math.abs(amplitude - 10_000) < 50, `${amplitude}`);
      assert.ok(Math.abs(rms * Math.SQRT2 - amplitude) < 50);
    });

  it('goes on from what came before as if it had been there all the time', () => {
    const whole = new FrameResampler(8000, 16_000);
    const later = new FrameResampler(8000, 16_000);
    for (let n = 0; n < 5; n++) whole.push(toneSlot(n, 8000));
    later.prime(toneSlot(4, 8000));
    for (let n = 5; n < 8; n++)
      assert.deepEqual(later.push(toneSlot(n, 8000)), whole.push(toneSlot(n, 8000)).slice());
  });

  it('lets a sound end in the silence behind it, then costs nothing', () => {
    const resampler = new FrameResampler(16_000, 8000);
    assert.equal(resampler.pushSilence(), undefined);
    resampler.push(new Int16Array(320).fill(8000));
    const tail = resampler.pushSilence();
    assert.ok(tail && tail[0]! > 4000 && tail.at(-1) === 0);
    assert.equal(resampler.pushSilence(), undefined);
  });
});
