import { AssertionError } from 'node:assert';
import { alignment } from './alignment.ts';

/**
 * Looks for `expected` in `samples`, bit for bit.
 * @returns the sample at which the first occurrence begins, -1 where there is none
 */
export function findPayloadRun(samples: Int16Array, expected: Int16Array): number {
  if (expected.length === 0) throw new RangeError('an empty run is everywhere: give at least one sample');
  const haystack = bytesOf(samples);
  const needle = bytesOf(expected);
  for (let from = 0; ; ) {
    const byteOffset = haystack.indexOf(needle, from);
    if (byteOffset < 0) return -1;
    if (byteOffset % 2 === 0) return byteOffset / 2;
    from = byteOffset + 1;
  }
}

export interface LongestRun {
  /** Where the run begins in the samples and in the expected ones; both 0 for a run of no samples. */
  start: number;
  expectedStart: number;
  length: number;
}

/** Seeds shorter than this are found anywhere by chance. */
const seedSamples = 40;
const maxSeedHits = 8;

/** The longest stretch of `expected` that stands in `samples` bit for bit, silence apart. */
export function longestRun(samples: Int16Array, expected: Int16Array): LongestRun {
  let best: LongestRun = { start: 0, expectedStart: 0, length: 0 };
  for (let seed = 0; seed + seedSamples <= expected.length; seed += seedSamples) {
    if (seed < best.expectedStart + best.length) continue;
    const needle = expected.subarray(seed, seed + seedSamples);
    if (needle.every((sample) => sample === needle[0])) continue;
    for (const hit of hitsOf(samples, needle)) {
      const run = grow(samples, expected, hit, seed);
      if (run.length > best.length) best = run;
    }
  }
  return best;
}

function* hitsOf(samples: Int16Array, needle: Int16Array): Generator<number> {
  let from = 0;
  for (let hits = 0; hits < maxSeedHits; hits++) {
    const hit = findPayloadRun(samples.subarray(from), needle);
    if (hit < 0) return;
    yield from + hit;
    from += hit + 1;
  }
}

function grow(samples: Int16Array, expected: Int16Array, start: number, expectedStart: number): LongestRun {
  let before = 0;
  while (
    before < start &&
    before < expectedStart &&
    samples[start - before - 1] === expected[expectedStart - before - 1]
  )
    before++;
  let length = before;
  const offset = start - expectedStart;
  while (
    expectedStart - before + length < expected.length &&
    start - before + length < samples.length &&
    samples[start - before + length] === expected[start - before + length - offset]
  )
    length++;
  return { start: start - before, expectedStart: expectedStart - before, length };
}

export interface RunContext {
  /** Whose audio it is, for the message. */
  label?: string;
  rateHz?: number;
}

/**
 * Asserts that `expected` stands in `samples` bit for bit.
 * @returns the sample at which it begins
 * @throws AssertionError that says how much of it is there, where, and which sample differs first
 */
export function assertExactRun(
  samples: Int16Array,
  expected: Int16Array,
  { label = 'the expected audio', rateHz = 8000 }: RunContext = {},
): number {
  const offset = findPayloadRun(samples, expected);
  if (offset >= 0) return offset;
  throw new AssertionError({
    message: `${label} is not in the recording bit for bit: ${explainMiss(samples, expected, rateHz)}`,
    stackStartFn: assertExactRun,
  });
}

/** The opposite proof: not one stretch of `expected` of `minSamples` or more is in `samples`. */
export function assertNoRun(
  samples: Int16Array,
  expected: Int16Array,
  {
    label = 'the forbidden audio',
    rateHz = 8000,
    minSamples = 160,
  }: RunContext & { minSamples?: number } = {},
): void {
  const run = longestRun(samples, expected);
  if (run.length < minSamples) return;
  throw new AssertionError({
    message:
      `${label} is in the recording: ${run.length} samples of it (from ${place(run.expectedStart, rateHz)}) ` +
      `at ${place(run.start, rateHz)}`,
    stackStartFn: assertNoRun,
  });
}

function explainMiss(samples: Int16Array, expected: Int16Array, rateHz: number): string {
  const sizes = `${expected.length} samples expected, ${samples.length} recorded`;
  const run = longestRun(samples, expected);
  if (run.length === 0) return `${sizes}; ${explainLikeness(samples, expected, rateHz)}`;
  const where =
    `longest exact run ${run.length} samples, expected ${place(run.expectedStart, rateHz)} ` +
    `found at recorded ${place(run.start, rateHz)}`;
  return `${sizes}; ${where}; ${explainEdge(samples, expected, run, rateHz)}`;
}

function explainEdge(samples: Int16Array, expected: Int16Array, run: LongestRun, rateHz: number): string {
  const after = run.expectedStart + run.length;
  if (after < expected.length)
    return `then expected ${place(after, rateHz)} is ${expected[after]}, recorded ${
      samples[run.start + run.length] ?? 'nothing (the recording ends there)'
    }`;
  return `before it expected ${place(run.expectedStart - 1, rateHz)} is ${expected[run.expectedStart - 1]}, recorded ${
    samples[run.start - 1] ?? 'nothing (the recording begins there)'
  }`;
}

function explainLikeness(samples: Int16Array, expected: Int16Array, rateHz: number): string {
  const found = alignment(samples, expected);
  if (!found || found.correlation < 0.5) return 'no part of it is there, exact or alike';
  return (
    `no exact part is there; the likest place is recorded ${place(found.offset, rateHz)} ` +
    `(correlation ${found.correlation.toFixed(3)}, ${found.gainDb.toFixed(1)} dB)`
  );
}

function place(sample: number, rateHz: number): string {
  return `sample ${sample} (${((sample / rateHz) * 1000).toFixed(1)} ms)`;
}

function bytesOf(samples: Int16Array): Buffer {
  return Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength);
}
