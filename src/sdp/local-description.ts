import { isIPv6 } from 'node:net';
import type { Direction } from './direction.ts';
import { type CodecPreference, channelsOf, codecAndClock, type NegotiatedCodec } from './negotiation.ts';
import { formatAttributes, type PayloadFormat } from './payload-format.ts';
import { type MediaDescription, serializeSessionDescription } from './session-description.ts';

/** Our side of one audio stream. */
export interface LocalMedia {
  /** IPv4 or IPv6 literal that peers reach us at. */
  address: string;
  port: number;
  codecs: readonly CodecPreference[];
  /** Digits; the same for every description of a session. */
  sessionId: string;
  /** Grows with every description that differs from the one before. */
  version: number;
  telephoneEvents: boolean;
  direction?: Direction;
  ptimeMs?: number;
}

export const defaultPtimeMs = 20;

/** All sixteen keys (RFC 4733 section 3.2). */
export const telephoneEventFmtp = '0-15';

/** Static payload types (RFC 3551) where there is one, at the codec's usual clock. */
const staticPayloadTypes: Readonly<Record<string, number>> = {
  'PCMU/8000': 0,
  'PCMA/8000': 8,
  'G722/8000': 9,
};

/** What nearly every peer expects for 8000 Hz, even those that ignore the rtpmap. */
const usualTelephoneEvent = 101;

/** Every codec of ours, and a telephone-event for each clock rate among them. */
export function offeredFormats({ codecs, telephoneEvents }: LocalMedia): PayloadFormat[] {
  let dynamic = 96;
  const nextDynamic = (): number => {
    if (dynamic === usualTelephoneEvent) dynamic++;
    return dynamic++;
  };
  const preferences = codecs.map(codecAndClock);
  const formats = preferences.map(({ codec, clockRateHz }) => {
    const payloadType = staticPayloadTypes[`${codec}/${clockRateHz}`] ?? nextDynamic();
    return codecFormat({ codec, clockRateHz, payloadType });
  });
  if (!telephoneEvents) return formats;
  for (const clockRateHz of new Set(preferences.map((preference) => preference.clockRateHz)))
    formats.push({
      payloadType: clockRateHz === 8000 ? usualTelephoneEvent : nextDynamic(),
      encoding: 'TELEPHONE-EVENT',
      clockRateHz,
      channels: 1,
      fmtp: telephoneEventFmtp,
    });
  return formats;
}

export function codecFormat({ payloadType, codec, clockRateHz }: NegotiatedCodec): PayloadFormat {
  return { payloadType, encoding: codec, clockRateHz, channels: channelsOf(codec), fmtp: undefined };
}

export function audioStream(
  port: number,
  protocol: string,
  formats: PayloadFormat[],
  ptimeMs: number,
  direction: Direction,
): MediaDescription {
  return {
    kind: 'audio',
    port,
    protocol,
    formats: formats.map(({ payloadType }) => String(payloadType)),
    connection: undefined,
    attributes: [
      ...formats.flatMap(formatAttributes),
      { name: 'ptime', value: String(ptimeMs) },
      { name: direction, value: undefined },
    ],
  };
}

/** A whole description of ours, as text. */
export function describeLocal(
  { address, sessionId, version }: LocalMedia,
  media: MediaDescription[],
): string {
  const addressType = isIPv6(address) ? 'IP6' : 'IP4';
  return serializeSessionDescription({
    origin: { username: '-', sessionId, version: String(version), addressType, address },
    name: 'callreel',
    connection: { addressType, address },
    attributes: [],
    media,
  });
}
