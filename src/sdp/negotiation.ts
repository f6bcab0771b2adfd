import type { Direction } from './direction.ts';
import { type OpusParameters, parseOpusParameters } from './opus-parameters.ts';
import type { PayloadFormat } from './payload-format.ts';
import type { NegotiatedRtcp } from './rtcp-attributes.ts';
import { attributeValue, type MediaDescription } from './session-description.ts';
import type { NegotiatedSrtp } from './srtp-parameters.ts';

/** The codecs that can be negotiated. */
export type SdpCodec = 'PCMU' | 'PCMA' | 'G722' | 'OPUS';

/** A codec we take, by its name alone at its usual RTP clock; lists of these are in the order of our preference. */
export type CodecPreference = SdpCodec | { codec: SdpCodec; clockRateHz: number };

/** RTP clock rates; G.722's is 8000 for historical reasons (RFC 3551 section 4.5.2). */
const usualClockRateHz: Readonly<Record<SdpCodec, number>> = {
  PCMU: 8000,
  PCMA: 8000,
  G722: 8000,
  OPUS: 48_000,
};

export function codecAndClock(preference: CodecPreference): { codec: SdpCodec; clockRateHz: number } {
  if (typeof preference !== 'string') return preference;
  return { codec: preference, clockRateHz: usualClockRateHz[preference] };
}

export interface NegotiatedCodec {
  payloadType: number;
  codec: SdpCodec;
  clockRateHz: number;
  /** Of the Opus stream we send: what the peer asks for. */
  opus?: OpusParameters;
}

/** Whose order of codecs decides which of the common ones is sent: that of the offer, or ours. */
export type CodecOrder = 'offer' | 'ours';

export interface NegotiatedTelephoneEvent {
  /** What the peer's events come with. */
  payloadType: number;
  clockRateHz: number;
  /** What the peer wants events with, where it is another number. */
  sendPayloadType?: number;
}

/** What offer and answer came to, seen from our side. */
export interface NegotiatedMedia {
  /** Where to send; undefined when the peer did not say, is on hold the old way, or gave a name. */
  remote: { address: string; port: number } | undefined;
  /** Every payload type the peer may send us, the preferred first. */
  receive: NegotiatedCodec[];
  send: NegotiatedCodec;
  /** Length of the packets we send. */
  ptimeMs: number;
  /** Of the clock of what we send, where there is one. */
  telephoneEvent: NegotiatedTelephoneEvent | undefined;
  /** What else the peer's events may come with: beside audio of other clocks, or by the peer's own numbers. */
  otherTelephoneEvents?: { payloadType: number; clockRateHz: number }[];
  /** Comfort noise (RFC 3389), one payload type for each clock rate at most. */
  comfortNoise?: { payloadType: number; clockRateHz: number }[];
  /** Without it: plain RTP. */
  srtp?: NegotiatedSrtp;
  rtcp: NegotiatedRtcp;
  direction: Direction;
}

/** RFC 7587 section 7: Opus is always written with two channels. */
export function channelsOf(codec: SdpCodec): number {
  return codec === 'OPUS' ? 2 : 1;
}

/** @returns a match of every preference that the formats hold, in the order asked for */
export function commonCodecs(
  formats: PayloadFormat[],
  preferences: readonly CodecPreference[],
  order: CodecOrder,
): NegotiatedCodec[] {
  const common = preferences.map(codecAndClock).flatMap(({ codec, clockRateHz }) => {
    const format = formats.find(
      (candidate) =>
        candidate.encoding === codec &&
        candidate.clockRateHz === clockRateHz &&
        (codec === 'OPUS' || candidate.channels === 1),
    );
    return format ? [{ payloadType: format.payloadType, codec, clockRateHz }] : [];
  });
  if (order === 'ours') return common;
  const place = new Map(formats.map(({ payloadType }, index) => [payloadType, index]));
  return common.sort((a, b) => place.get(a.payloadType)! - place.get(b.payloadType)!);
}

/** The codec we send, with what the peer's description asks of it. */
export function sentCodec(codec: NegotiatedCodec, formats: PayloadFormat[]): NegotiatedCodec {
  if (codec.codec !== 'OPUS') return codec;
  const format = formats.find(({ payloadType }) => payloadType === codec.payloadType);
  const opus = parseOpusParameters(format?.fmtp);
  return Object.keys(opus).length === 0 ? codec : { ...codec, opus };
}

/** The first comfort noise at each clock rate. */
export function comfortNoiseFormats(formats: PayloadFormat[]): PayloadFormat[] {
  return firstAtEachClock(formats, 'CN');
}

/** The first telephone-event at each clock rate. */
export function telephoneEvents(formats: PayloadFormat[]): PayloadFormat[] {
  return firstAtEachClock(formats, 'TELEPHONE-EVENT');
}

function firstAtEachClock(formats: PayloadFormat[], encoding: string): PayloadFormat[] {
  const found = formats.filter((format) => format.encoding === encoding);
  return found.filter(
    ({ clockRateHz }, index) => found.findIndex((other) => other.clockRateHz === clockRateHz) === index,
  );
}

export function telephoneEventAt(formats: PayloadFormat[], rateHz: number): PayloadFormat | undefined {
  return formats.find(
    ({ encoding, clockRateHz }) => encoding === 'TELEPHONE-EVENT' && clockRateHz === rateHz,
  );
}

/**
 * The telephone-event that runs on the clock of the codec we send (RFC 4733 section 2.1), else at 8000 Hz, which
 * peers offer beside codecs of other clocks, else any.
 */
export function chooseTelephoneEvent(
  formats: PayloadFormat[],
  send: NegotiatedCodec,
): PayloadFormat | undefined {
  return (
    telephoneEventAt(formats, send.clockRateHz) ??
    telephoneEventAt(formats, 8000) ??
    formats.find(({ encoding }) => encoding === 'TELEPHONE-EVENT')
  );
}

const shortestPtimeMs = 10;
const longestPtimeMs = 60;

/** The packet length the peer asks for, in whole steps of 10 ms from 10 to 60, never above its `maxptime`. */
export function choosePtimeMs(media: MediaDescription, preferredMs: number): number {
  const asked = positiveNumber(attributeValue(media, 'ptime')) ?? preferredMs;
  const most = positiveNumber(attributeValue(media, 'maxptime')) ?? longestPtimeMs;
  const steps = Math.floor(Math.min(asked, most, longestPtimeMs) / 10) * 10;
  return Math.max(shortestPtimeMs, steps);
}

function positiveNumber(text: string | undefined): number | undefined {
  const value = Number(text);
  return text && Number.isFinite(value) && value > 0 ? value : undefined;
}
