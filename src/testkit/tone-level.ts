import type { SampleSpan } from './active-span.ts';
import { activeSpan } from './active-span.ts';

/**
 * Level of one frequency in dBov, as if the rest were not there: a single bin of a Fourier transform under a
 * Blackman-Harris window, whose side lobes lie 92 dB down, so that a strong tone does not leak into a weak one's bin.
 * Two tones are told apart when they lie more than 8 / (length in seconds) hertz from each other.
 * @param span where to measure; without it from the first to the last sample that is not silence
 * @returns -Infinity where there is nothing at all
 */
export function toneLevelDbov(
  samples: Int16Array,
  rateHz: number,
  frequencyHz: number,
  span: SampleSpan = activeSpan(samples),
): number {
  const length = span.end - span.start;
  if (length < 2) return Number.NEGATIVE_INFINITY;
  let real = 0;
  let imaginary = 0;
  let weights = 0;
  const step = (2 * Math.PI * frequencyHz) / rateHz;
  for (let i = 0; i < length; i++) {
    const weight = blackmanHarris(i / (length - 1));
    const value = samples[span.start + i]! * weight;
    real += value * Math.cos(step * i);
    imaginary -= value * Math.sin(step * i);
    weights += weight;
  }
  const amplitude = (2 * Math.hypot(real, imaginary)) / weights;
  return 20 * Math.log10(amplitude / Math.SQRT2 / 32_768);
}

/** How many decibels `wantedHz` stands above `otherHz`, both measured over the same span. */
export function toneRatioDb(
  samples: Int16Array,
  rateHz: number,
  wantedHz: number,
  otherHz: number,
  span: SampleSpan = activeSpan(samples),
): number {
  return toneLevelDbov(samples, rateHz, wantedHz, span) - toneLevelDbov(samples, rateHz, otherHz, span);
}

/** The four-term window of Harris 1978. @param position 0 to 1 */
function blackmanHarris(position: number): number {
  const angle = 2 * Math.PI * position;
  return 0.35875 - 0.48829 * Math.cos(angle) + 0.14128 * Math.cos(2 * angle) - 0.01168 * Math.cos(3 * angle);
}
