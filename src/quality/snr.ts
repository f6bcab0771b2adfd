import type { Features } from './feature-sink.ts';
import { snrModel } from './models/snr-model.ts';
import { Regression } from './regression.ts';

/** More is nothing that anybody hears, and nothing that G.711 lets through. */
const rangeDb = { least: -10, most: 50 };
/** Power of speech over noise, where noise is all there is. */
const leastSpeech = 1e-3;
const regression = new Regression(snrModel);

/** Signal-to-noise ratio in dB: the active speech level (ITU-T P.56) over the level of the noise beneath it. */
export function snrOf(features: Features): number {
  return limitedSnr(regression.estimate(features));
}

function limitedSnr(snrDb: number): number {
  return Math.max(rangeDb.least, Math.min(rangeDb.most, snrDb));
}

/** What is speech, of the level of speech and noise together; all in dBov. */
export function speechOf(levelDbov: number, snrDb: number): number {
  return levelDbov - 10 * Math.log10(1 + 10 ** (-snrDb / 10));
}

export function noiseOf(levelDbov: number, snrDb: number): number {
  return speechOf(levelDbov, snrDb) - snrDb;
}

/** Over such noise, where speech and noise together have this level. */
export function snrOver(noiseDbov: number, levelDbov: number): number {
  const speechOverNoise = 10 ** ((levelDbov - noiseDbov) / 10) - 1;
  return limitedSnr(10 * Math.log10(Math.max(leastSpeech, speechOverNoise)));
}
