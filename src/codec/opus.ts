// The WASM build by name, not the package's native one: payloads from the network are parsed inside a sandbox.
import { Decoder as LibopusDecoder, Encoder as LibopusEncoder } from '@evan/opus/wasm/index.mjs';
import type { Decoder, Encoder } from './codec.ts';

/** Rates libopus decodes to by itself (RFC 6716 section 2.1.1 has the same list as bandwidths). */
const directRatesHz: readonly number[] = [8000, 12_000, 16_000, 24_000, 48_000];

/** RFC 7587: the RTP clock of Opus always runs at this rate, whatever is coded. */
export const opusClockRateHz = 48_000;

/** The longest packet libopus decodes, 120 ms (RFC 6716 section 3.2.5). */
export const opusMaxPacketMs = 120;

/** The largest payload the WASM build has room for. */
const maxPayloadBytes = 8192;

/**
 * Decodes to mono at `targetRateHz` where libopus can, else at 48 kHz: see `rateHz`. A payload that is no Opus
 * packet, or an empty one, gives 0 samples; what `out` has no room for is cut.
 */
export function createOpusDecoder(targetRateHz: number): Decoder {
  const rateHz = directRatesHz.includes(targetRateHz) ? targetRateHz : opusClockRateHz;
  const libopus = new LibopusDecoder({ channels: 1, sample_rate: rateHz });
  return {
    rateHz,
    decode(payload, out) {
      // An empty payload would be taken for a loss and answered with 120 ms of concealment.
      if (payload.length === 0 || payload.length > maxPayloadBytes) return 0;
      let bytes: Uint8Array;
      try {
        bytes = libopus.decode(payload);
      } catch {
        return 0;
      }
      const decoded = new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length >> 1);
      const samples = Math.min(decoded.length, out.length);
      out.set(samples === decoded.length ? decoded : decoded.subarray(0, samples));
      return samples;
    },
  };
}

/** Mono, for speech. `encode` takes 2.5, 5, 10, 20, 40 or 60 ms of samples and throws on any other length. */
export function createOpusEncoder(rateHz: number): Encoder {
  const libopus = new LibopusEncoder({ channels: 1, sample_rate: rateHz, application: 'voip' });
  return {
    rateHz,
    encode(samples, out) {
      const payload = libopus.encode(samples);
      out.set(payload);
      return payload.length;
    },
  };
}
