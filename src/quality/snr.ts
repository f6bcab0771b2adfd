import type { Features } from './feature-sink.ts';
import { snrModel } from './models/snr-model.ts';
import { Regression } from './regression.ts';

/** More is nothing that anybody hears, and nothing that G.711 lets through. */
const rangeDb = { least: -10, most: 50 };
const regression = new Regression(snrModel);

/** Signal-to-noise ratio in dB: the active speech level (ITU-T P.56) over the level of the noise beneath it. */
export function snrOf(features: Features): number {
  const estimate = regression.estimate(features);
  return Math.max(rangeDb.least, Math.min(rangeDb.most, estimate));
}
