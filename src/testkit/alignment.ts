export interface Alignment {
  /** Sample of the recording at which the expected audio's first sample lies; negative when it began before. */
  offset: number;
  /** Normalised cross-correlation of the block compared: 1 for the same shape, whatever its level. */
  correlation: number;
  /** How much louder the recording is than expected. */
  gainDb: number;
}

const defaultBlockSamples = 800;

/**
 * Where a block of `expected` lies in `samples`, also when its level changed or others speak over it. Without
 * `blockStart` the loudest block is taken; comparing the offsets of an early and a late block shows drift.
 * @returns undefined when either is shorter than the block or silent
 */
export function alignment(
  samples: Int16Array,
  expected: Int16Array,
  { blockStart, blockSamples = defaultBlockSamples }: { blockStart?: number; blockSamples?: number } = {},
): Alignment | undefined {
  const length = Math.min(blockSamples, expected.length);
  if (length === 0 || samples.length < length) return undefined;
  const start = blockStart ?? loudestBlock(expected, length);
  const block = Float64Array.from(expected.subarray(start, start + length));
  const blockEnergy = energy(block);
  if (blockEnergy === 0) return undefined;

  let best: { at: number; correlation: number; product: number } | undefined;
  let windowEnergy = energy(samples.subarray(0, length));
  for (let at = 0; at + length <= samples.length; at++) {
    if (at > 0) windowEnergy += samples[at + length - 1]! ** 2 - samples[at - 1]! ** 2;
    if (windowEnergy <= 0) continue;
    let product = 0;
    for (let i = 0; i < length; i++) product += block[i]! * samples[at + i]!;
    const correlation = product / Math.sqrt(blockEnergy * windowEnergy);
    if (!best || correlation > best.correlation) best = { at, correlation, product };
  }
  if (!best) return undefined;
  return {
    offset: best.at - start,
    correlation: best.correlation,
    gainDb: 20 * Math.log10(Math.abs(best.product) / blockEnergy),
  };
}

function loudestBlock(samples: Int16Array, length: number): number {
  let blockEnergy = energy(samples.subarray(0, length));
  let loudest = { start: 0, energy: blockEnergy };
  for (let start = 1; start + length <= samples.length; start++) {
    blockEnergy += samples[start + length - 1]! ** 2 - samples[start - 1]! ** 2;
    if (blockEnergy > loudest.energy) loudest = { start, energy: blockEnergy };
  }
  return loudest.start;
}

function energy(samples: Int16Array | Float64Array): number {
  let sum = 0;
  for (let i = 0; i < samples.length; i++) sum += samples[i]! ** 2;
  return sum;
}
