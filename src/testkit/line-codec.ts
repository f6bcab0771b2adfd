import type { Decoder, Encoder } from '../codec/codec.ts';
import { createDecoder } from '../codec/decoders.ts';
import { createEncoder } from '../codec/encoders.ts';
import { alawSilence, ulawSilence } from '../codec/g711.ts';

/** What a test phone speaks, in whole packets, of 20 ms unless told otherwise. */
export type LineCodecName = 'PCMU' | 'PCMA' | 'G722' | 'OPUS';

/** The rate of what tests play and hear, whatever is spoken between. */
export const lineRateHz = 8000;
export const ptimeMs = 20;
/** Of G.711. */
export const packetSamples = 160;

export interface LineCodec {
  readonly name: LineCodecName;
  /** Static payload type of RFC 3551, section 6; a usual dynamic one for Opus. */
  readonly payloadType: number;
  /** As `a=rtpmap` has it. */
  readonly rtpmap: string;
  readonly clockRateHz: number;
  /** Of the samples. */
  readonly rateHz: number;
  /** G.711's byte of silence. */
  readonly silence: number;
  /** For one stream: G.722 and Opus remember what was before. */
  encoder(): Encoder;
  decoder(): Decoder;
  /** All at once, from a fresh encoder; not for Opus, whose packets are encoded one by one. */
  encode(samples: Int16Array): Uint8Array;
  /** One payload by itself. */
  decode(payload: Uint8Array): Int16Array;
}

export const lineCodecs: Readonly<Record<LineCodecName, LineCodec>> = {
  PCMU: lineCodec('PCMU', { payloadType: 0, rateHz: 8000, silence: ulawSilence }),
  PCMA: lineCodec('PCMA', { payloadType: 8, rateHz: 8000, silence: alawSilence }),
  G722: lineCodec('G722', { payloadType: 9, rateHz: 16_000 }),
  OPUS: lineCodec('OPUS', {
    payloadType: 111,
    rateHz: 48_000,
    clockRateHz: 48_000,
    rtpmap: 'opus/48000/2',
  }),
};

export function payloadTypeOf(name: LineCodecName, opusPayloadType = lineCodecs.OPUS.payloadType): number {
  return name === 'OPUS' ? opusPayloadType : lineCodecs[name].payloadType;
}

/** @param opusPayloadType as negotiated */
export function lineCodecOfPayloadType(payloadType: number, opusPayloadType?: number): LineCodec | undefined {
  return Object.values(lineCodecs).find(({ name }) => payloadTypeOf(name, opusPayloadType) === payloadType);
}

/** The longest payload that is made or taken. */
const maxPayloadSamples = 48_000 * 0.12;

/** One payload for each packet's length; the last is filled up with silence. */
export function packetPayloads(
  codec: LineCodec,
  samples: Int16Array,
  { encoder = codec.encoder(), packetMs = ptimeMs } = {},
): Uint8Array[] {
  const length = (codec.rateHz * packetMs) / 1000;
  const payloads: Uint8Array[] = [];
  const buffer = new Uint8Array(maxPayloadSamples);
  for (let start = 0; start < samples.length; start += length) {
    const frame = new Int16Array(length);
    frame.set(samples.subarray(start, start + length));
    payloads.push(buffer.slice(0, encoder.encode(frame, buffer)));
  }
  return payloads;
}

interface LineCodecFormat {
  payloadType: number;
  rateHz: number;
  clockRateHz?: number;
  rtpmap?: string;
  silence?: number;
}

function lineCodec(name: LineCodecName, format: LineCodecFormat): LineCodec {
  const { payloadType, rateHz, clockRateHz = 8000, rtpmap = `${name}/${clockRateHz}`, silence = 0 } = format;
  const encoder = () => createEncoder(name, clockRateHz, name === 'OPUS' ? { rateHz: 48_000 } : undefined);
  const decoder = () => createDecoder(name, clockRateHz, rateHz);
  return {
    ...{ name, payloadType, rtpmap, clockRateHz, rateHz, silence, encoder, decoder },
    encode(samples) {
      const payload = new Uint8Array(samples.length);
      return payload.subarray(0, encoder().encode(samples, payload));
    },
    decode(payload) {
      const samples = new Int16Array(Math.max(maxPayloadSamples, 2 * payload.length));
      return samples.slice(0, decoder().decode(payload, samples));
    },
  };
}
