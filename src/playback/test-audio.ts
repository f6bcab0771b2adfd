import { Mp3Encoder } from '../container/mp3.ts';
import type { Mp3RateHz } from '../container/mp3-frame.ts';

/** For tests only: audio files of every kind, from one tone. */

export const toneHz = 440;
const amplitude = 12_000;

export function tone(samples: number, rateHz: number): Int16Array {
  return Int16Array.from({ length: samples }, (_, k) =>
    Math.round(amplitude * Math.sin((2 * Math.PI * toneHz * k) / rateHz)),
  );
}

export interface WavShape {
  formatTag: number;
  bits: number;
  channels: number;
  rateHz: number;
}

/** A plain RIFF file around samples that are encoded already. */
export function wavFile({ formatTag, bits, channels, rateHz }: WavShape, data: Uint8Array): Buffer {
  const head = Buffer.alloc(44);
  head.write('RIFF');
  head.writeUInt32LE(36 + data.length, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(formatTag, 20);
  head.writeUInt16LE(channels, 22);
  head.writeUInt32LE(rateHz, 24);
  head.writeUInt32LE((rateHz * channels * bits) / 8, 28);
  head.writeUInt16LE((channels * bits) / 8, 32);
  head.writeUInt16LE(bits, 34);
  head.write('data', 36);
  head.writeUInt32LE(data.length, 40);
  return Buffer.concat([head, data]);
}

/** Mono, 16 bit. */
export function toneWav(samples: number, rateHz: number): Buffer {
  const data = Buffer.from(tone(samples, rateHz).buffer);
  return wavFile({ formatTag: 1, bits: 16, channels: 1, rateHz }, data);
}

export async function toneMp3(samples: number, rateHz: Mp3RateHz): Promise<Buffer> {
  const encoder = new Mp3Encoder({ rateHz, bitRateKbps: 32, samples });
  return Buffer.concat([encoder.head(), encoder.encode(tone(samples, rateHz)), encoder.finish()]);
}

/** The part of a signal's power that is the tone, away from its ends: 1 for nothing else. */
export function tonePurity(samples: Int16Array, rateHz: number, hertz = toneHz): number {
  const edge = Math.floor(rateHz / 10);
  let power = 0;
  let inPhase = 0;
  let quadrature = 0;
  let count = 0;
  for (let k = edge; k < samples.length - edge; k++) {
    const sample = samples[k]!;
    const angle = (2 * Math.PI * hertz * k) / rateHz;
    power += sample * sample;
    inPhase += sample * Math.sin(angle);
    quadrature += sample * Math.cos(angle);
    count++;
  }
  return power === 0 ? 0 : (2 * (inPhase ** 2 + quadrature ** 2)) / (count * power);
}

/** Root mean square, in 16-bit units. */
export function level(samples: Int16Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return Math.sqrt(sum / Math.max(1, samples.length));
}

export const toneLevel = amplitude / Math.SQRT2;
