import { dbovToRms, rmsDbov } from '../../src/audio/level.ts';
import { decodeAlaw, decodeUlaw, encodeAlaw, encodeUlaw } from '../../src/codec/g711.ts';
import { backgroundNoise } from '../../src/testkit/background-noise.ts';
import { type Random, seededRandom } from '../../src/testkit/random.ts';
import { heardInRoom } from './room.ts';
import type { Voice } from './voices.ts';

export const clipRateHz = 8000;

/** The four that are scored; `traffic` and `fan` are fitted and told of beside them. */
export const scoredNoises = ['white', 'pink', 'hum', 'babble'] as const;
export const noises = [...scoredNoises, 'traffic', 'fan'] as const;
export type Noise = (typeof noises)[number];

export interface SpeechOptions {
  seed: number;
  voice: Voice;
  seconds: number;
  /** Impulse response at 8 kHz; left out for dry speech. */
  room?: Float64Array;
  /** Speaks faster and higher by this. */
  voiceFactor?: number;
  /** Of the line and its microphone: a shelf above 1.2 kHz. */
  trebleDb?: number;
  /** A telephone's: nothing below it. */
  highPassHz?: number;
}

/** One side of a conversation as a microphone hears it: speech, pauses, room. */
export function makeSpeech(options: SpeechOptions): Int16Array {
  const said = talk(options, seededRandom(options.seed));
  const inRoom = options.room ? heardInRoom(said, options.room) : said;
  const heard = shaped(inRoom, options);
  let peak = 1;
  for (const sample of heard) peak = Math.max(peak, Math.abs(sample));
  return asInt16(heard, 30_000 / peak);
}

export interface LineOptions {
  seed: number;
  noise: Noise;
  /** Who babbles in the background. */
  others: readonly Voice[];
  /** Active speech level (ITU-T P.56) of what arrives at the microphone over the RMS level of the noise. */
  snrDb: number;
  speechDbov: number;
  law?: 'ulaw' | 'alaw';
}

/** The speech as it comes off the line: with noise, after G.711. */
export function onLine(speech: Int16Array, activeDbov: number, options: LineOptions): Int16Array {
  const { snrDb, speechDbov, law = 'ulaw' } = options;
  const gain = 10 ** ((speechDbov - activeDbov) / 20);
  const noise = makeNoise(options, speech.length, seededRandom(options.seed));
  const noiseGain = dbovToRms(speechDbov - snrDb) / dbovToRms(rmsDbov(noise));
  const mixed = Float64Array.from(speech, (sample, i) => gain * sample + noiseGain * noise[i]!);
  return afterG711(asInt16(mixed, 1), law);
}

/** Utterances with the pauses of one who talks, thinks, and listens. */
function talk({ voice, seconds, voiceFactor = 1 }: SpeechOptions, random: Random): Float64Array {
  const out = new Float64Array(Math.round(seconds * clipRateHz));
  let at = Math.round(0.3 * random() * clipRateHz);
  while (at < out.length) {
    const prompt = voice.prompts[Math.floor(random() * voice.prompts.length)]!;
    const gain = (0.7 + 0.6 * random()) * 10 ** ((-26 - rmsDbov(prompt)) / 20);
    const spoken = Math.min(out.length - at, Math.floor(prompt.length / voiceFactor) - 2);
    for (let i = 0; i < spoken; i++) out[at + i] = gain * between(prompt, i * voiceFactor);
    at += spoken + Math.round(pauseSeconds(random) * clipRateHz);
  }
  return out;
}

function pauseSeconds(random: Random): number {
  const kind = random();
  if (kind < 0.6) return 0.15 + 0.65 * random();
  return kind < 0.85 ? 0.8 + 1.2 * random() : 2 + 2 * random();
}

/** Cubic interpolation. */
function between(samples: Int16Array, place: number): number {
  const i = Math.floor(place);
  const t = place - i;
  const a = samples[Math.max(0, i - 1)]!;
  const b = samples[i]!;
  const c = samples[i + 1] ?? 0;
  const d = samples[i + 2] ?? 0;
  return b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)));
}

/** First-order filters. */
function shaped(samples: Float64Array, { trebleDb = 0, highPassHz = 0 }: SpeechOptions): Float64Array {
  const out = samples.slice();
  if (trebleDb !== 0) {
    const gain = 10 ** (trebleDb / 20);
    const pole = Math.exp((-2 * Math.PI * 1200) / clipRateHz);
    let low = 0;
    for (let i = 0; i < out.length; i++) {
      low = pole * low + (1 - pole) * out[i]!;
      out[i] = low + gain * (out[i]! - low);
    }
  }
  for (let pass = 0; highPassHz > 0 && pass < 2; pass++) {
    const pole = Math.exp((-2 * Math.PI * highPassHz) / clipRateHz);
    let low = 0;
    for (let i = 0; i < out.length; i++) {
      low = pole * low + (1 - pole) * out[i]!;
      out[i]! -= low;
    }
  }
  return out;
}

function makeNoise({ noise, others }: LineOptions, samples: number, random: Random): Int16Array {
  const seed = Math.floor(random() * 2 ** 31);
  if (noise === 'traffic') return traffic(samples, random);
  if (noise === 'fan') return fan(samples, random);
  const talkers = noise === 'babble' ? babblers(others, random) : [];
  return backgroundNoise(noise, { samples, rateHz: clipRateHz, levelDbov: -26, seed, talkers });
}

/** Four to eight people, each saying a dozen utterances on end. */
function babblers(others: readonly Voice[], random: Random): Int16Array[] {
  return Array.from({ length: 4 + Math.floor(5 * random()) }, () => {
    const { prompts } = others[Math.floor(random() * others.length)]!;
    const said = Array.from({ length: 12 }, () => prompts[Math.floor(random() * prompts.length)]!);
    const whole = new Int16Array(said.reduce((sum, prompt) => sum + prompt.length, 0));
    let at = 0;
    for (const prompt of said) {
      whole.set(prompt, at);
      at += prompt.length;
    }
    return whole;
  });
}

/** Rumble whose level swells by a few dB over seconds. */
function traffic(samples: number, random: Random): Int16Array {
  let low = 0;
  let lower = 0;
  let swell = 0;
  const out = Float64Array.from({ length: samples }, () => {
    const next = 2 * random() - 1;
    low = 0.93 * low + next;
    lower = 0.8 * lower + low;
    swell = 0.9998 * swell + 0.02 * (2 * random() - 1);
    return lower * 10 ** (Math.max(-6, Math.min(6, 6 * swell)) / 20);
  });
  return asInt16(out, 60);
}

/** Steady, with a hiss, a rumble and two tones of its own. */
function fan(samples: number, random: Random): Int16Array {
  const tones = [100 + 300 * random(), 400 + 900 * random()];
  const hiss = random();
  let low = 0;
  const out = Float64Array.from({ length: samples }, (_, i) => {
    const next = 2 * random() - 1;
    low = 0.9 * low + 0.3 * next;
    const humming = tones.reduce((sum, hz) => sum + Math.sin((2 * Math.PI * hz * i) / clipRateHz), 0);
    return low + 0.4 * hiss * next + 0.1 * humming;
  });
  return asInt16(out, 2000);
}

function afterG711(samples: Int16Array, law: 'ulaw' | 'alaw'): Int16Array {
  const payload = new Uint8Array(samples.length);
  const out = new Int16Array(samples.length);
  if (law === 'alaw') {
    encodeAlaw(samples, payload);
    decodeAlaw(payload, out);
  } else {
    encodeUlaw(samples, payload);
    decodeUlaw(payload, out);
  }
  return out;
}

function asInt16(samples: Float64Array, gain: number): Int16Array {
  return Int16Array.from(samples, (sample) => Math.max(-32_768, Math.min(32_767, Math.round(gain * sample))));
}
