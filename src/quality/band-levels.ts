import { kernel } from './kernel.ts';

/** What is analysed is brought to this rate. */
export const analysisRateHz = 8000;
/** One row of levels each 10 ms, of the 32 ms before, through a Hann window. */
const hopSamples = 80;
export const hopsPerSecond = analysisRateHz / hopSamples;

/** From 31 Hz to 125, 312, 500, 750, 1062, 1469, 2000, 2719 and 3719 Hz; the last number of a row is the level of all together. */
export const bandCount = 9;
export const rowLength = bandCount + 1;

/** Narrow bands of 62.5 Hz, from 109 Hz on, in rows of their own, one each 20 ms. */
export const fineBandCount = 48;
const hopsPerFineRow = 2;

/** Levels are kept in steps of 0.5 dB from -120 dBov up, one byte each. */
export const stepsPerDb = 2;
export const leastDbov = -120;

/** Rows one behind the other; both arrays are valid until the next of any signal. */
export interface BandLevels {
  /** `count` rows of `rowLength` level steps. */
  rows: Uint8Array;
  count: number;
  /** `fineCount` rows of `fineBandCount` level steps, of every second row's time. */
  fineRows: Uint8Array;
  fineCount: number;
}

/** Of `samples[start..end)` at 8 kHz, 10 s at most. */
export function bandLevels(samples: Int16Array, start = 0, end = samples.length): BandLevels {
  const { run, rows, fineRows } = kernel();
  const count = run.bandLevels(kernel().putSamples(samples, start, end));
  const fineCount = Math.ceil(count / hopsPerFineRow);
  return {
    ...{ rows: rows.subarray(0, count * rowLength), count },
    ...{ fineRows: fineRows.subarray(0, fineCount * fineBandCount), fineCount },
  };
}
