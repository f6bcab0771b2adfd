/**
 * Four tones of a party each. None is near a harmonic of another or its alias at 8 kHz, where G.711 puts most of its
 * quantization noise: that would look like one party heard in another's channel.
 */
export const partyTonesHz = [443, 617, 1069, 1553] as const;

export interface ToneOptions {
  frequencyHz: number;
  durationMs: number;
  rateHz?: number;
  /** 0 dBov is a full-scale square wave (ITU-T G.100.1): the loudest sine is -3.01. */
  levelDbov?: number;
}

/** A sine from phase 0. */
export function tone({ frequencyHz, durationMs, rateHz = 8000, levelDbov = -15 }: ToneOptions): Int16Array {
  const samples = new Int16Array(Math.round((durationMs * rateHz) / 1000));
  const amplitude = Math.SQRT2 * 32_768 * 10 ** (levelDbov / 20);
  for (let i = 0; i < samples.length; i++) {
    const value = Math.round(amplitude * Math.sin((2 * Math.PI * frequencyHz * i) / rateHz));
    samples[i] = Math.max(-32_768, Math.min(32_767, value));
  }
  return samples;
}
