import { isIPv6 } from 'node:net';
import type { Direction } from './direction.ts';
import type { LocalSrtp } from './local-srtp.ts';
import {
  type CodecOrder,
  type CodecPreference,
  channelsOf,
  codecAndClock,
  type NegotiatedCodec,
} from './negotiation.ts';
import { opusFmtp } from './opus-parameters.ts';
import { formatAttributes, type PayloadFormat } from './payload-format.ts';
import { type Attribute, type MediaDescription, serializeSessionDescription } from './session-description.ts';

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
  /** Whose order of codecs decides in our answers; the offer's where it is not set. */
  codecOrder?: CodecOrder;
  /** Without it: plain RTP only. */
  srtp?: LocalSrtp;
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
  const fmtp = codec === 'OPUS' ? opusFmtp : undefined;
  return { payloadType, encoding: codec, clockRateHz, channels: channelsOf(codec), fmtp };
}

export interface AudioStream {
  port: number;
  protocol: string;
  formats: PayloadFormat[];
  ptimeMs: number;
  rtcpMux: boolean;
  crypto: readonly Attribute[];
  direction: Direction;
}

export function audioStream(stream: AudioStream): MediaDescription {
  const { port, protocol, formats, ptimeMs, rtcpMux, crypto, direction } = stream;
  return {
    kind: 'audio',
    port,
    protocol,
    formats: formats.map(({ payloadType }) => String(payloadType)),
    connection: undefined,
    attributes: [
      ...formats.flatMap(formatAttributes),
      { name: 'ptime', value: String(ptimeMs) },
      ...(rtcpMux ? [{ name: 'rtcp-mux', value: undefined }] : []),
      ...crypto,
      { name: direction, value: undefined },
    ],
  };
}

/** A stream of the offer in our answer to it, refused (RFC 3264 section 6). */
export function refusedStream({ kind, protocol, formats }: MediaDescription): MediaDescription {
  return {
    kind,
    port: 0,
    protocol,
    formats: formats.length > 0 ? formats : ['0'],
    connection: undefined,
    attributes: [],
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
