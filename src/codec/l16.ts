import type { Decoder, Encoder } from './codec.ts';

/**
 * L16, mono (RFC 3551 section 4.5.11): 16-bit samples, most significant byte first. No peer is offered it: the spool
 * keeps samples in it that no codec has seen.
 */
export function createL16Decoder(rateHz: number): Decoder {
  return {
    rateHz,
    decode(payload, out) {
      const samples = payload.length >> 1;
      for (let i = 0; i < samples; i++) out[i] = (payload[2 * i]! << 8) | payload[2 * i + 1]!;
      return samples;
    },
  };
}

export function createL16Encoder(rateHz: number): Encoder {
  return {
    rateHz,
    encode(samples, out) {
      for (let i = 0; i < samples.length; i++) {
        out[2 * i] = samples[i]! >> 8;
        out[2 * i + 1] = samples[i]!;
      }
      return 2 * samples.length;
    },
  };
}
