/**
 * Levels in dBov (ITU-T G.100.1): relative to the overload point of 16-bit samples, so a full-scale square wave has
 * 0 dBov and the largest sine -3.01 dBov.
 */
export const fullScale = 32_768;

/** The level given for digital silence, the least that RFC 6464 can say. */
export const silenceDbov = -127;

/** Level of a signal with this mean square, never below `silenceDbov`. */
export function meanSquareToDbov(meanSquare: number): number {
  return Math.max(silenceDbov, 10 * Math.log10(meanSquare / (fullScale * fullScale)));
}

/** Root mean square of a signal of this level, in sample units. */
export function dbovToRms(levelDbov: number): number {
  return fullScale * 10 ** (levelDbov / 20);
}

/** RMS level of `samples[start..end)`; `silenceDbov` for none. */
export function rmsDbov(samples: Int16Array, start = 0, end = samples.length): number {
  if (end <= start) return silenceDbov;
  let sum = 0;
  for (let i = start; i < end; i++) sum += samples[i]! * samples[i]!;
  return meanSquareToDbov(sum / (end - start));
}

/** The largest magnitude in `samples[start..end)`, 0..32768. */
export function peak(samples: Int16Array, start = 0, end = samples.length): number {
  let largest = 0;
  for (let i = start; i < end; i++) {
    const magnitude = Math.abs(samples[i]!);
    if (magnitude > largest) largest = magnitude;
  }
  return largest;
}
