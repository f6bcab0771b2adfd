import { meanSquareToDbov } from './level.ts';

export interface GoertzelOptions {
  rateHz: number;
  frequencyHz: number;
  /**
   * `hann` keeps strong tones two or more bins away (bin: rateHz / block length) from leaking in; `rectangular`
   * tells close frequencies apart and is exact where the block holds whole periods.
   */
  window?: 'hann' | 'rectangular';
}

/**
 * Level of the sine at `frequencyHz` in `samples[start..end)`: a lone sine of that frequency gives its RMS level in
 * dBov. Any frequency up to half the rate, not only the bins of the block.
 */
export function goertzelDbov(
  samples: Int16Array,
  { rateHz, frequencyHz, window = 'hann' }: GoertzelOptions,
  start = 0,
  end = samples.length,
): number {
  const length = end - start;
  const coefficient = 2 * Math.cos((2 * Math.PI * frequencyHz) / rateHz);
  let s1 = 0;
  let s2 = 0;
  let windowSum = 0;
  for (let i = 0; i < length; i++) {
    const weight = window === 'hann' ? 0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 0.5)) / length) : 1;
    const s0 = weight * samples[start + i]! + coefficient * s1 - s2;
    s2 = s1;
    s1 = s0;
    windowSum += weight;
  }
  const magnitudeSquared = s1 * s1 + s2 * s2 - coefficient * s1 * s2;
  return meanSquareToDbov((2 * Math.max(0, magnitudeSquared)) / (windowSum * windowSum || 1));
}
