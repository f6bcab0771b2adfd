import type { Decoder } from '../codec/codec.ts';
import { type AudioRateHz, audioRatesHz, decoderFor } from './codec-table.ts';
import type { LegNegotiate, NegotiatedCodec } from './control.ts';

/** One payload type that a leg may send. */
export interface ReceiveFormat extends NegotiatedCodec {
  /** The stream's own; undefined: comfort noise. */
  decoder: (Decoder & { readonly rateHz: AudioRateHz }) | undefined;
  rateHz: AudioRateHz;
}

/** Comfort noise at 8000 Hz (RFC 3551 section 6); some phones send it without having said so. */
const comfortNoisePayloadType = 13;

/**
 * What an agreement lets a leg send as audio, by payload type.
 * @param former of the agreement before: what it has in common goes on with its decoders, as the streams do
 * @throws CallreelError NO_COMMON_CODEC
 */
export function receiveFormats(
  {
    receive,
    comfortNoise = [],
    telephoneEvent,
    otherTelephoneEvents,
  }: Pick<LegNegotiate, 'receive' | 'comfortNoise' | 'telephoneEvent' | 'otherTelephoneEvents'>,
  former: readonly (ReceiveFormat | undefined)[] = [],
): (ReceiveFormat | undefined)[] {
  const formats: (ReceiveFormat | undefined)[] = [];
  for (const { payloadType, clockRateHz } of comfortNoise)
    formats[payloadType] = noiseFormat(payloadType, clockRateHz);
  for (const format of receive) {
    const before = former[format.payloadType];
    const isSame = before?.codec === format.codec && before.clockRateHz === format.clockRateHz;
    const decoder = (isSame && before.decoder) || decoderFor(format);
    formats[format.payloadType] = { ...format, decoder, rateHz: decoder.rateHz };
  }
  if (eventClocks({ telephoneEvent, otherTelephoneEvents })[comfortNoisePayloadType] === undefined)
    formats[comfortNoisePayloadType] ??= noiseFormat(comfortNoisePayloadType, 8000);
  return formats;
}

/** Clock rates of the peer's telephone events, by payload type. */
export function eventClocks({
  telephoneEvent,
  otherTelephoneEvents = [],
}: Pick<LegNegotiate, 'telephoneEvent' | 'otherTelephoneEvents'>): (number | undefined)[] {
  const clocks: (number | undefined)[] = [];
  for (const { payloadType, clockRateHz } of otherTelephoneEvents) clocks[payloadType] = clockRateHz;
  if (telephoneEvent) clocks[telephoneEvent.payloadType] = telephoneEvent.clockRateHz;
  return clocks;
}

function noiseFormat(payloadType: number, clockRateHz: number): ReceiveFormat {
  return { codec: 'CN', payloadType, clockRateHz, decoder: undefined, rateHz: audioRatesHz[0] };
}
