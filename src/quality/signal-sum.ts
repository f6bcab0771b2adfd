import { kernel } from './kernel.ts';

/** The sum of signals, one at a time in a thread: 10 s at 48 kHz at most. */
export const signalSum = {
  begin(samples: number): void {
    kernel().run.clearSum(samples);
  },

  /** @param at of the sum, where they begin */
  add(samples: Int16Array, at: number): void {
    kernel().run.addToSum(at, kernel().putSamples(samples, 0, samples.length));
  },

  /** Cut off at full scale. */
  take(out: Int16Array): void {
    kernel().run.takeSum(out.length);
    out.set(kernel().samples.subarray(0, out.length));
  },
};
