import { dbovToRms } from '../audio/level.ts';

/** For tests only: uniform numbers in [0, 1), the same for the same seed. */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** For tests only: white noise, the same for the same seed. */
export function noise({
  samples,
  seed,
  levelDbov = -15,
}: {
  samples: number;
  seed: number;
  levelDbov?: number;
}) {
  const random = seededRandom(seed);
  const peak = Math.sqrt(3) * dbovToRms(levelDbov);
  return Int16Array.from({ length: samples }, () => Math.round((2 * random() - 1) * peak));
}
