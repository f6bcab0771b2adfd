import type { CodecName, Decoder, Encoder } from '../codec/codec.ts';
import { createDecoder } from '../codec/decoders.ts';
import { createEncoder } from '../codec/encoders.ts';
import { alawSilence, ulawSilence } from '../codec/g711.ts';
import { CallreelError } from '../errors.ts';
import type { NegotiatedCodec } from './control.ts';

/** One slot of the mixer. */
export const slotMs = 20;
export const slotUs = slotMs * 1000;

/** What legs and rooms work at: narrowband, wideband, fullband. */
export const audioRatesHz = [8000, 16_000, 48_000] as const;
export type AudioRateHz = (typeof audioRatesHz)[number];

/** Samples of a slot at the highest rate. */
export const maxSlotSamples = 960;
/** The longest payload of any codec: 120 ms of G.711 at 48 kHz. */
export const maxPayloadBytes = 5760;

export function slotSamplesAt(rateHz: AudioRateHz): number {
  return rateHz / 50;
}

/**
 * The rate of the samples that go into a codec and come out of it. Opus works at any of ours (RFC 7587 section 4.1);
 * more than the peer plays would only cost.
 * @throws CallreelError NO_COMMON_CODEC
 */
export function audioRateHzOf({ codec, clockRateHz, opus }: NegotiatedCodec): AudioRateHz {
  if (codec === 'OPUS') {
    const most = opus?.maxPlaybackRateHz ?? 48_000;
    return most <= 8000 ? 8000 : most <= 16_000 ? 16_000 : 48_000;
  }
  const rateHz = codec === 'G722' ? 16_000 : audioRatesHz.find((rate) => rate === clockRateHz);
  if (rateHz !== undefined && codec !== 'CN') return rateHz;
  throw new CallreelError('NO_COMMON_CODEC', `no codec for ${codec}/${clockRateHz}`, { where: codec });
}

/**
 * A decoder of its own for one stream; it gives `rateHz`.
 * @throws CallreelError NO_COMMON_CODEC
 */
export function decoderFor(format: NegotiatedCodec): Decoder & { readonly rateHz: AudioRateHz } {
  const rateHz = audioRateHzOf({ ...format, opus: undefined });
  return createDecoder(format.codec, format.clockRateHz, rateHz) as Decoder & { rateHz: AudioRateHz };
}

/**
 * An encoder of its own for one stream; it takes `audioRateHzOf(format)`.
 * @throws CallreelError NO_COMMON_CODEC
 */
export function encoderFor(format: NegotiatedCodec): Encoder {
  const rateHz = audioRateHzOf(format);
  return createEncoder(format.codec, format.clockRateHz, { ...format.opus, rateHz });
}

/** Whether each payload decodes by itself, so that one encoder may serve several streams by turns. */
export function isStateless(codec: CodecName): boolean {
  return codec === 'PCMU' || codec === 'PCMA';
}

const silentSlots = new Map<string, Uint8Array>();

/** One slot of encoded silence of a stateless codec; shared, never to be written to. */
export function silentSlot({
  codec,
  clockRateHz,
}: Pick<NegotiatedCodec, 'codec' | 'clockRateHz'>): Uint8Array {
  const key = `${codec}/${clockRateHz}`;
  let payload = silentSlots.get(key);
  if (!payload) {
    const silence = codec === 'PCMU' ? ulawSilence : alawSilence;
    silentSlots.set(key, (payload = new Uint8Array(clockRateHz / 50).fill(silence)));
  }
  return payload;
}
