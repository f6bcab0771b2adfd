import type { CodecName, Decoder, Encoder } from '../codec/codec.ts';
import { createG711Decoder, createG711Encoder, type G711Law } from '../codec/g711.ts';
import { CallreelError } from '../errors.ts';
import type { NegotiatedCodec } from './control.ts';

/** Rooms mix at this rate; one slot of the mixer is 20 ms. */
export const roomRateHz = 8000;
export const slotMs = 20;
export const slotUs = slotMs * 1000;
export const slotSamples = (roomRateHz * slotMs) / 1000;

const g711Laws: Readonly<Partial<Record<CodecName, G711Law>>> = { PCMU: 'ulaw', PCMA: 'alaw' };

function g711LawOf({ codec, clockRateHz }: NegotiatedCodec): G711Law {
  const law = g711Laws[codec];
  if (law !== undefined && clockRateHz === roomRateHz) return law;
  throw new CallreelError('NO_COMMON_CODEC', `no codec for ${codec}/${clockRateHz}`, { where: codec });
}

/**
 * A decoder of its own for one stream.
 * @throws CallreelError NO_COMMON_CODEC
 */
export function decoderFor(format: NegotiatedCodec): Decoder {
  return createG711Decoder(g711LawOf(format));
}

/**
 * An encoder of its own for one stream.
 * @throws CallreelError NO_COMMON_CODEC
 */
export function encoderFor(format: NegotiatedCodec): Encoder {
  return createG711Encoder(g711LawOf(format));
}

const silentSlots = new Map<CodecName, Uint8Array>();

/** One slot of encoded silence; shared, never to be written to. */
export function silentSlot(codec: CodecName): Uint8Array {
  let payload = silentSlots.get(codec);
  if (!payload) {
    payload = encodeSlot(
      encoderFor({ codec, clockRateHz: roomRateHz, payloadType: 0 }),
      new Int16Array(slotSamples),
    );
    silentSlots.set(codec, payload);
  }
  return payload;
}

/** Encodes one slot into an array of its own. */
function encodeSlot(encoder: Encoder, samples: Int16Array): Uint8Array {
  const out = new Uint8Array(samples.length);
  return out.subarray(0, encoder.encode(samples, out));
}
