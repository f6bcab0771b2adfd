import { dbovToRms, rmsDbov } from '../audio/level.ts';
import { ComfortNoise } from '../codec/comfort-noise.ts';
import { scaled } from './active-speech.ts';
import { noise } from './noise.ts';
import { seededRandom } from './random.ts';

export const backgroundNoises = ['white', 'pink', 'hum', 'comfort noise', 'babble'] as const;
export type BackgroundNoiseName = (typeof backgroundNoises)[number];

export interface BackgroundNoiseOptions {
  samples: number;
  rateHz: number;
  /** RMS over the whole. */
  levelDbov: number;
  seed?: number;
  /** Who babbles: human speech, at the same rate. */
  talkers?: readonly Int16Array[];
}

/** What is heard behind a voice; the same for the same seed. */
export function backgroundNoise(name: BackgroundNoiseName, options: BackgroundNoiseOptions): Int16Array {
  if (name === 'comfort noise') return comfortNoise(options);
  const raw = { white, pink, hum, babble }[name](options);
  return scaled(raw, options.levelDbov - rmsDbov(raw));
}

/** Both together, clipped where it must be. */
export function mixed(a: Int16Array, b: Int16Array): Int16Array {
  return a.map((sample, i) => Math.max(-32_768, Math.min(32_767, sample + (b[i] ?? 0))));
}

function white({ samples, seed = 1 }: BackgroundNoiseOptions): Int16Array {
  return noise({ samples, seed });
}

/** 3 dB less for each octave up: Kellet's three poles, exact to 0.5 dB from 40 Hz to the half of 8 kHz. */
function pink({ samples, seed = 1 }: BackgroundNoiseOptions): Int16Array {
  const random = seededRandom(seed);
  let slow = 0;
  let middle = 0;
  let fast = 0;
  return Int16Array.from({ length: samples }, () => {
    const next = 2 * random() - 1;
    slow = 0.99765 * slow + 0.099046 * next;
    middle = 0.963 * middle + 0.2965164 * next;
    fast = 0.57 * fast + 1.0526913 * next;
    return Math.round(2500 * (slow + middle + fast + 0.1848 * next));
  });
}

/** Of the mains, a little off 50 Hz, with harmonics. */
function hum({ samples, rateHz }: BackgroundNoiseOptions): Int16Array {
  const turns = 50.03 / rateHz;
  return Int16Array.from({ length: samples }, (_, i) => {
    let sum = 0;
    for (const harmonic of [1, 2, 3, 5])
      sum += Math.sin(2 * Math.PI * ((harmonic * turns * i) % 1) + harmonic) / harmonic;
    return Math.round((dbovToRms(-12) * sum) / 2);
  });
}

function comfortNoise({ samples, levelDbov }: BackgroundNoiseOptions): Int16Array {
  const out = new Int16Array(samples);
  new ComfortNoise(levelDbov).write(out);
  return out;
}

/** All talkers at one level, each from another place on, round and round. */
function babble({ samples, seed = 1, talkers = [] }: BackgroundNoiseOptions): Int16Array {
  const random = seededRandom(seed);
  const sum = new Float64Array(samples);
  for (const talker of talkers) {
    const gain = 10 ** ((-26 - rmsDbov(talker)) / 20) / Math.sqrt(talkers.length);
    const offset = Math.floor(random() * talker.length);
    for (let i = 0; i < samples; i++) sum[i]! += gain * talker[(i + offset) % talker.length]!;
  }
  return Int16Array.from(sum, Math.round);
}
