import { fullScale, meanSquareToDbov, silenceDbov } from '../audio/level.ts';

/** ITU-T P.56: speech is what lies less than this under the active speech level. */
export const speechMarginDb = 15.9;

const smoothingSeconds = 0.03;
const hangoverSeconds = 0.2;
/** One threshold for each bit of a sample, an octave (6.02 dB) apart. */
const thresholds = Array.from({ length: 15 }, (_, bit) => 2 ** bit);

/**
 * Active speech level in dBov by ITU-T P.56 method B: the mean power of the time that is speech, pauses of more than
 * 200 ms left out. `silenceDbov` where nothing is.
 */
export function activeSpeechDbov(samples: Int16Array, rateHz: number): number {
  const decay = Math.exp(-1 / (smoothingSeconds * rateHz));
  const hangover = Math.round(hangoverSeconds * rateHz);
  const activeSamples = thresholds.map(() => 0);
  const hung = thresholds.map(() => hangover);
  let energy = 0;
  let smoothed = 0;
  let envelope = 0;
  for (const sample of samples) {
    energy += sample * sample;
    smoothed = decay * smoothed + (1 - decay) * Math.abs(sample);
    envelope = decay * envelope + (1 - decay) * smoothed;
    for (let j = 0; j < thresholds.length; j++) {
      if (envelope >= thresholds[j]!) hung[j] = 0;
      else if (hung[j]! < hangover) hung[j]! += 1;
      else continue;
      activeSamples[j]! += 1;
    }
  }
  // The level of the time above a threshold, where it lies just the margin above that threshold.
  let levelBefore = silenceDbov;
  let marginBefore = Number.POSITIVE_INFINITY;
  for (const [j, threshold] of thresholds.entries()) {
    if (activeSamples[j] === 0) return levelBefore;
    const level = meanSquareToDbov(energy / activeSamples[j]!);
    const margin = level - 20 * Math.log10(threshold / fullScale);
    if (margin <= speechMarginDb) {
      if (marginBefore === Number.POSITIVE_INFINITY) return level;
      const share = (marginBefore - speechMarginDb) / (marginBefore - margin);
      return levelBefore + share * (level - levelBefore);
    }
    levelBefore = level;
    marginBefore = margin;
  }
  return levelBefore;
}

/**
 * Whether each 10 ms of clean speech of the given level is speech: no hangover, the RMS level of the 20 ms around
 * compared with the threshold of P.56.
 */
export function speechFrames(
  clean: Int16Array,
  rateHz: number,
  levelDbov: number,
  marginDb = speechMarginDb,
): boolean[] {
  const frame = rateHz / 100;
  const threshold = (fullScale * 10 ** ((levelDbov - marginDb) / 20)) ** 2;
  return Array.from({ length: Math.floor(clean.length / frame) }, (_, at) => {
    const from = Math.max(0, at * frame - frame / 2);
    const to = Math.min(clean.length, (at + 1) * frame + frame / 2);
    let energy = 0;
    for (let i = from; i < to; i++) energy += clean[i]! * clean[i]!;
    return energy / (to - from) > threshold;
  });
}

/** The same with another gain, clipped where it must be. */
export function scaled(samples: Int16Array, gainDb: number): Int16Array {
  const gain = 10 ** (gainDb / 20);
  return samples.map((sample) => Math.max(-32_768, Math.min(32_767, Math.round(sample * gain))));
}
