/** Bounds of the search in samples of the signal given. */
export interface PitchSearch {
  minLag: number;
  maxLag: number;
  /** How much of the signal's end is compared with what lies a lag before it. */
  windowSamples: number;
  /** The coarse search looks at every so many samples and lags. */
  decimation: number;
}

/**
 * The lag at which the end of `signal` is most like what came before it: its pitch period, or a multiple, where it is
 * voiced. By normalised correlation, coarsely first, as ITU-T G.711 Appendix I does. `signal` is at least
 * `windowSamples + maxLag` long.
 */
export function pitchLag(signal: Int16Array, search: PitchSearch): number {
  const { minLag, maxLag, decimation } = search;
  const coarse = bestLag(signal, search, minLag, maxLag, decimation);
  const from = Math.max(minLag, coarse - decimation + 1);
  return bestLag(signal, search, from, Math.min(maxLag, coarse + decimation - 1), 1);
}

/** Keeps a lag of near silence from winning by division; the recommendation's CORMINPOWER. */
const leastEnergy = 250;

function bestLag(
  signal: Int16Array,
  { windowSamples }: PitchSearch,
  fromLag: number,
  toLag: number,
  stride: number,
): number {
  const start = signal.length - windowSamples;
  let best = fromLag;
  let bestScore = Number.NEGATIVE_INFINITY;
  for (let lag = fromLag; lag <= toLag; lag += stride) {
    let correlation = 0;
    let energy = 0;
    for (let i = start; i < signal.length; i += stride) {
      const earlier = signal[i - lag]!;
      correlation += signal[i]! * earlier;
      energy += earlier * earlier;
    }
    const score = correlation / Math.sqrt(Math.max(leastEnergy, energy));
    if (score > bestScore) {
      bestScore = score;
      best = lag;
    }
  }
  return best;
}
