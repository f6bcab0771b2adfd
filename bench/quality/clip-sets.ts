import { activeSpeechDbov } from '../../src/testkit/active-speech.ts';
import { type Random, seededRandom } from '../../src/testkit/random.ts';
import { clipRateHz, makeSpeech, type Noise, noises, onLine } from './clips.ts';
import { heardRt60, noiseHall, type RoomResponse, randomRoom, roomResponse } from './room.ts';
import type { Voice, VoiceSet } from './voices.ts';

export interface Clip {
  samples: Int16Array;
  voice: string;
  noise: Noise;
  snrDb: number;
  /** Undefined for dry speech. */
  rt60Seconds: number | undefined;
}

export interface ClipSetOptions {
  set: VoiceSet;
  voices: readonly Voice[];
  rooms: readonly RoomResponse[];
  /** Speeches from this number on, */
  from?: number;
  /** and up to this. Each is heard with three noises. */
  to: number;
}

/** No room of one set is in the other: they are drawn from different seeds. */
const firstSeed = { fit: 1000, score: 500_000 };
const dryShare = 0.3;
export const noisesEach = 3;

/** Rooms to fit with are of 0.1 to 10 s, most under 2; those to score with lie in what the figure is promised for. */
export function* makeRooms(set: VoiceSet, count: number): Generator<RoomResponse> {
  const random = seededRandom(firstSeed[set]);
  let seed = firstSeed[set];
  for (let made = 0; made < count; ) {
    seed += 1;
    const response = roomResponse(randomRoom({ seed, rt60Seconds: wantedRt60(set, made, random) }));
    const isPromised = response.rt60Seconds >= 0.15 && response.rt60Seconds <= 1.6;
    if (set === 'score' && !isPromised) continue;
    made += 1;
    yield response;
  }
}

/** 2 to 12 s, to fit with: a third of them shoeboxes. */
export function* makeHalls(count: number): Generator<RoomResponse> {
  const random = seededRandom(firstSeed.fit + 2);
  for (let made = 0; made < count; made++) {
    const seed = firstSeed.fit + 100_000 + made;
    const rt60Seconds = 2 * 6 ** random();
    const directDb = -12 + 15 * random();
    if (made % 3 === 0) yield roomResponse(randomRoom({ seed, rt60Seconds: 0.75 * rt60Seconds }));
    else yield noiseHall(seed, rt60Seconds, directDb);
  }
}

/** To fit with: rooms at a microphone a hand's width away, by what it hears of them. */
export function* makeNearRooms(count: number): Generator<RoomResponse> {
  const random = seededRandom(firstSeed.fit + 3);
  for (let made = 0; made < count; made++) {
    const seed = firstSeed.fit + 200_000 + made;
    const distanceMetres = 0.04 * 6 ** random();
    const response = roomResponse(randomRoom({ seed, rt60Seconds: 0.3 + 1.2 * random(), distanceMetres }));
    yield { taps: response.taps, rt60Seconds: heardRt60(response) };
  }
}

function wantedRt60(set: VoiceSet, index: number, random: Random): number {
  if (set === 'score') return 0.12 + 1.3 * random();
  if (index % 16 === 15) return 1.6 * 5 ** random();
  return index % 3 === 0 ? 0.1 * 16 ** random() : 0.1 + 1.5 * random();
}

/** Each speech is the same whichever others are made. */
export function* makeClips({ set, voices, rooms, from = 0, to }: ClipSetOptions): Generator<Clip> {
  const isFit = set === 'fit';
  for (let index = from; index < to; index++) {
    const seed = firstSeed[set] + noisesEach * index;
    const random = seededRandom(1_000_003 * seed);
    const between = (low: number, high: number) => low + (high - low) * random();
    const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)]!;
    const room = random() < dryShare ? undefined : pick(rooms);
    const voice = pick(voices);
    const highPassHz = random() < 0.5 ? 0 : between(50, 300);
    const speech = makeSpeech({
      seed,
      voice,
      seconds: isFit ? pick([12, 16, 20, 20]) : 20,
      room: room?.taps,
      voiceFactor: isFit ? between(0.8, 1.2) : 1,
      trebleDb: isFit ? between(-8, 8) : between(-4, 4),
      highPassHz,
    });
    const activeDbov = activeSpeechDbov(speech, clipRateHz);
    for (let variant = 0; variant < noisesEach; variant++) {
      const noise = pick(noises);
      const snrDb = isFit ? between(-8, 48) : between(0, 40);
      const speechDbov = between(-34, -16);
      const law = pick(['ulaw', 'alaw'] as const);
      const options = { seed: seed + variant, noise, others: voices, snrDb, speechDbov, law };
      const samples = onLine(speech, activeDbov, options);
      yield { samples, voice: voice.name, noise, snrDb, rt60Seconds: room?.rt60Seconds };
    }
  }
}
