import { alawSilence, decodeAlaw, decodeUlaw, encodeAlaw, encodeUlaw, ulawSilence } from '../codec/g711.ts';

/** What a test phone speaks: G.711 of either law, 8 kHz, in whole packets of 20 ms. */
export type LineCodecName = 'PCMU' | 'PCMA';

export const lineRateHz = 8000;
export const ptimeMs = 20;
export const packetSamples = 160;

export interface LineCodec {
  readonly name: LineCodecName;
  /** Static payload type of RFC 3551, section 6. */
  readonly payloadType: number;
  readonly silence: number;
  encode(samples: Int16Array): Uint8Array;
  decode(payload: Uint8Array): Int16Array;
}

export const lineCodecs: Readonly<Record<LineCodecName, LineCodec>> = {
  PCMU: lineCodec('PCMU', 0, ulawSilence, encodeUlaw, decodeUlaw),
  PCMA: lineCodec('PCMA', 8, alawSilence, encodeAlaw, decodeAlaw),
};

export function lineCodecOfPayloadType(payloadType: number): LineCodec | undefined {
  return Object.values(lineCodecs).find((codec) => codec.payloadType === payloadType);
}

/** One payload for each 20 ms; the last is filled up with silence. */
export function packetPayloads(codec: LineCodec, samples: Int16Array): Uint8Array[] {
  const encoded = codec.encode(samples);
  const payloads: Uint8Array[] = [];
  for (let start = 0; start < encoded.length; start += packetSamples) {
    const payload = new Uint8Array(packetSamples).fill(codec.silence);
    payload.set(encoded.subarray(start, start + packetSamples));
    payloads.push(payload);
  }
  return payloads;
}

function lineCodec(
  name: LineCodecName,
  payloadType: number,
  silence: number,
  encodeInto: (samples: Int16Array, out: Uint8Array) => number,
  decodeInto: (payload: Uint8Array, out: Int16Array) => number,
): LineCodec {
  return {
    name,
    payloadType,
    silence,
    encode(samples) {
      const payload = new Uint8Array(samples.length);
      encodeInto(samples, payload);
      return payload;
    },
    decode(payload) {
      const samples = new Int16Array(payload.length);
      decodeInto(payload, samples);
      return samples;
    },
  };
}
