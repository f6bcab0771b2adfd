import { fromModelScale } from './model-scale.ts';
import { rt60Model } from './models/rt60-model.ts';
import { Regression } from './regression.ts';
import type { SpeechStatistics } from './speech-statistics.ts';

/** Nothing said near a microphone has less; nothing that is understood at all has more. */
const rangeSeconds = { least: 0.05, most: 20 };
const regression = new Regression(rt60Model);

/** Seconds in which sound in the room of the talker falls by 60 dB. */
export function rt60Of(statistics: SpeechStatistics): number {
  const seconds = fromModelScale(regression.estimate((put) => statistics.features(put)));
  return Math.max(rangeSeconds.least, Math.min(rangeSeconds.most, seconds));
}
