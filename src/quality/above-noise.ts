import { fineHopsPerSecond, leastDbov, stepsPerDb } from './band-levels.ts';

/** The noise is what is left where it is quietest for so long, */
const quietRows = 0.16 * fineHopsPerSecond;
/** in this share of the time. */
const quietPercent = 5;
const everyMean = 4;
const topPercent = 97;
const powers = Float64Array.from({ length: 256 }, (_, step) => 10 ** ((leastDbov + step / stepsPerDb) / 10));

/** The levels of one band, `steps` of 0.5 dB, in dB over the level of its noise; what lies under it is 0. */
export function aboveNoise(steps: Uint8Array, noiseDbov: number): Float64Array {
  const levels = new Float64Array(steps.length);
  for (let row = 0; row < steps.length; row++)
    levels[row] = Math.max(0, leastDbov + steps[row]! / stepsPerDb - noiseDbov);
  return levels;
}

/** In dBov. */
export function noiseLevel(steps: Uint8Array): number {
  const means = new Float64Array(Math.ceil((steps.length - quietRows + 1) / everyMean));
  let sum = 0;
  for (let row = 0; row < steps.length; row++) {
    sum += powers[steps[row]!]!;
    if (row >= quietRows) sum -= powers[steps[row - quietRows]!]!;
    const at = row - quietRows + 1;
    if (at >= 0 && at % everyMean === 0) means[at / everyMean] = sum / quietRows;
  }
  const quiet = leastBut(Math.floor((quietPercent / 100) * means.length), means);
  return Math.max(leastDbov, 10 * Math.log10(Math.max(0, quiet) + 1e-13));
}

/** The least of all but the `rank` least; `rank` is small. */
function leastBut(rank: number, values: Float64Array): number {
  const least = new Float64Array(rank + 1).fill(Number.POSITIVE_INFINITY);
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value >= least[rank]!) continue;
    let at = rank;
    for (; at > 0 && least[at - 1]! > value; at--) least[at] = least[at - 1]!;
    least[at] = value;
  }
  return least[rank]!;
}

const counts = new Uint32Array(256);

/** What the loudest reaches, in dBov. */
export function topLevel(steps: Uint8Array): number {
  counts.fill(0);
  for (let row = 0; row < steps.length; row++) counts[steps[row]!]! += 1;
  let above = steps.length * (1 - topPercent / 100);
  let step = 255;
  while (step > 0 && above >= counts[step]!) above -= counts[step--]!;
  return leastDbov + step / stepsPerDb;
}
