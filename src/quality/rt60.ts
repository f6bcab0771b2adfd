import { rt60Model } from './models/rt60-model.ts';
import { Regression } from './regression.ts';
import type { SpeechStatistics } from './speech-statistics.ts';

/** Nothing said near a microphone has less; nothing that is understood at all has more. */
const rangeSeconds = { least: 0.05, most: 20 };
/** Rooms have less than this, halls more: from here on the scale of the model is logarithmic. */
const roomSeconds = 1.6;
const regression = new Regression(rt60Model);

/** Seconds in which sound in the room of the talker falls by 60 dB. */
export function rt60Of(statistics: SpeechStatistics): number {
  const seconds = ofModelScale(regression.estimate((put) => statistics.features(put)));
  return Math.max(rangeSeconds.least, Math.min(rangeSeconds.most, seconds));
}

/** What the model is fitted to for a reverberation time, so that a hall of 8 s does not weigh as much as ten rooms. */
export function toModelScale(seconds: number): number {
  return seconds <= roomSeconds ? seconds : roomSeconds * (1 + Math.log(seconds / roomSeconds));
}

function ofModelScale(value: number): number {
  return value <= roomSeconds ? value : roomSeconds * Math.exp(value / roomSeconds - 1);
}
