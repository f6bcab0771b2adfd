import { seededRandom } from './random.ts';

export interface NoiseOptions {
  samples: number;
  seed: number;
  /** 0 dBov is a full-scale square wave (ITU-T G.100.1). */
  levelDbov?: number;
}

/**
 * White noise, the same for the same seed. No stretch of it repeats, so that one second of it in a recording has
 * exactly one place: what a tone cannot give.
 */
export function noise({ samples, seed, levelDbov = -15 }: NoiseOptions): Int16Array {
  const random = seededRandom(seed);
  const peak = Math.min(32_767, Math.sqrt(3) * 32_768 * 10 ** (levelDbov / 20));
  return Int16Array.from({ length: samples }, () => Math.round((2 * random() - 1) * peak));
}
