import { maxJumpUs, maxLagUs, maxLeadUs, maxStallUs, reorderHorizonUs } from './bounds.ts';

/** Bounds of time (`bounds.ts`) in samples. */
export interface SampleBounds {
  readonly horizonSamples: number;
  readonly maxJumpSamples: number;
  readonly maxLagSamples: number;
  readonly maxStallSamples: number;
  readonly maxLeadSamples: number;
}

const known = new Map<number, SampleBounds>();

/** Of the recording's rate; the same for all of its tracks. */
export function sampleBounds(rateHz: number): SampleBounds {
  let bounds = known.get(rateHz);
  if (!bounds) known.set(rateHz, (bounds = boundsAt(rateHz)));
  return bounds;
}

function boundsAt(rateHz: number): SampleBounds {
  const samplesOf = (timeUs: number): number => Math.round((timeUs * rateHz) / 1_000_000);
  return {
    horizonSamples: samplesOf(reorderHorizonUs),
    maxJumpSamples: samplesOf(maxJumpUs),
    maxLagSamples: samplesOf(maxLagUs),
    maxStallSamples: samplesOf(maxStallUs),
    maxLeadSamples: samplesOf(maxLeadUs),
  };
}
