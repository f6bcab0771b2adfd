import { tone } from '../audio/tone.ts';

const rateHz = 8000;
export const toneOf = (frequencyHz: number, ms: number): Int16Array =>
  tone({ rateHz, frequencyHz, levelDbov: -20 }, (ms * rateHz) / 1000);

/** Which of the tests' tones are in `samples[from..to)`. */
export function tonesIn(samples: Int16Array, from: number, to: number): number[] {
  const part = samples.subarray(from, to);
  return [500, 700, 900, 1300, 1400].filter((frequencyHz) => levelOf(part, frequencyHz) > 100);
}

function levelOf(samples: Int16Array, frequencyHz: number): number {
  let re = 0;
  let im = 0;
  for (let i = 0; i < samples.length; i++) {
    const angle = (2 * Math.PI * frequencyHz * i) / rateHz;
    re += samples[i]! * Math.cos(angle);
    im += samples[i]! * Math.sin(angle);
  }
  return (2 * Math.hypot(re, im)) / samples.length;
}

/** The first sample that is not silent, and the one behind the last. */
export function edgesOf(samples: Int16Array): { from: number; to: number } {
  const isLoud = (sample: number): boolean => Math.abs(sample) > 200;
  const from = samples.findIndex(isLoud);
  const to = samples.findLastIndex(isLoud);
  // A sine begins and ends softly: rounded to what the tests' tones are cut by.
  return { from: Math.floor(from / 10) * 10, to: Math.ceil((to + 1) / 10) * 10 };
}
