import type { Features } from './feature-sink.ts';
import { fromModelScale } from './model-scale.ts';
import { hallModel } from './models/hall-model.ts';
import { roomModel } from './models/room-model.ts';
import { Regression } from './regression.ts';

/** Nothing said near a microphone has less; nothing that is understood at all has more. */
const rangeSeconds = { least: 0.05, most: 20 };
/** From the first on the model of halls is listened to, from the second on it alone. */
const hallSeconds = { first: 1.8, alone: 3 };
const rooms = new Regression(roomModel);
const halls = new Regression(hallModel);

/**
 * Seconds in which sound in the room of the talker falls by 60 dB. One model knows rooms well and nothing else; the
 * other knows everything from a booth to a cathedral, and says when it is a hall.
 */
export function rt60Of(features: Features): number {
  const room = rooms.estimate(features);
  const hall = fromModelScale(halls.estimate(features));
  const seconds = room + hallShare(hall) * Math.max(0, hall - room);
  return Math.max(rangeSeconds.least, Math.min(rangeSeconds.most, seconds));
}

/** 0..1, without a step. */
function hallShare(seconds: number): number {
  const { first, alone } = hallSeconds;
  const share = Math.max(0, Math.min(1, (seconds - first) / (alone - first)));
  return share * share * (3 - 2 * share);
}
