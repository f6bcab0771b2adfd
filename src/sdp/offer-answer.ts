import { intersect, mediaAddress, mediaDirection, reverse } from './direction.ts';
import {
  audioStream,
  codecFormat,
  defaultPtimeMs,
  describeLocal,
  type LocalMedia,
  offeredFormats,
  refusedStream,
  telephoneEventFmtp,
} from './local-description.ts';
import { offerSrtp } from './local-srtp.ts';
import {
  choosePtimeMs,
  chooseTelephoneEvent,
  comfortNoiseFormats,
  type NegotiatedMedia,
  sentCodec,
  telephoneEvents,
} from './negotiation.ts';
import { payloadFormats } from './payload-format.ts';
import { negotiatedRtcp, wantsRtcpMux } from './rtcp-attributes.ts';
import {
  type MediaDescription,
  parseSessionDescription,
  type SessionDescription,
} from './session-description.ts';
import { chooseStream } from './stream-choice.ts';

export type { LocalMedia } from './local-description.ts';
export type { CodecPreference, NegotiatedMedia } from './negotiation.ts';

export interface AnsweredOffer {
  /** The SDP text to send. */
  answer: string;
  negotiated: NegotiatedMedia;
}

/** An offer that was taken. */
export interface TakenOffer {
  /** Of the answer, in the places of the offer's. */
  streams: MediaDescription[];
  negotiated: NegotiatedMedia;
}

/**
 * Answers an offer (RFC 3264 section 6): takes its first audio stream whose transport we have and that has a codec in
 * common, and refuses every other stream with port 0.
 * @throws CallreelError SDP_INVALID, NO_COMMON_CODEC, MEDIA_TRANSPORT_UNSUPPORTED
 */
export function answerOffer(offer: string, local: LocalMedia): AnsweredOffer {
  const { streams, negotiated } = takeOffer(parseSessionDescription(offer), local);
  return { answer: describeLocal(local, streams), negotiated };
}

/**
 * As `answerOffer`, without writing the answer.
 * @throws CallreelError NO_COMMON_CODEC, MEDIA_TRANSPORT_UNSUPPORTED
 */
export function takeOffer(session: SessionDescription, local: LocalMedia): TakenOffer {
  const { media, codecs, srtp } = chooseStream(session, local);
  const formats = payloadFormats(media);
  const send = sentCodec(codecs[0]!, formats);
  const event = local.telephoneEvents ? chooseTelephoneEvent(formats, send) : undefined;
  const clocks = new Set(codecs.map(({ clockRateHz }) => clockRateHz));
  const otherEvents = event
    ? telephoneEvents(formats).filter((other) => other !== event && clocks.has(other.clockRateHz))
    : [];
  const noise = comfortNoiseFormats(formats);
  const direction = intersect(reverse(mediaDirection(session, media)), local.direction ?? 'sendrecv');
  const ptimeMs = choosePtimeMs(media, local.ptimeMs ?? defaultPtimeMs);
  const rtcpMux = wantsRtcpMux(media);

  const accepted = audioStream({
    port: local.port,
    protocol: media.protocol,
    formats: [
      ...codecs.map(codecFormat),
      ...[...(event ? [event] : []), ...otherEvents].map((each) => ({ ...each, fmtp: telephoneEventFmtp })),
      ...noise.map((format) => ({ ...format, fmtp: undefined })),
    ],
    ptimeMs,
    rtcpMux,
    crypto: srtp ? [srtp.attribute] : [],
    direction,
  });
  return {
    streams: session.media.map((offered) => (offered === media ? accepted : refusedStream(offered))),
    negotiated: {
      remote: mediaAddress(session, media),
      receive: codecs,
      send,
      ptimeMs,
      telephoneEvent: event && payloadTypeAndClock(event),
      ...(otherEvents.length > 0 && { otherTelephoneEvents: otherEvents.map(payloadTypeAndClock) }),
      ...(noise.length > 0 && { comfortNoise: noise.map(payloadTypeAndClock) }),
      ...(srtp && { srtp: srtp.negotiated }),
      rtcp: negotiatedRtcp(session, media, rtcpMux),
      direction,
    },
  };
}

function payloadTypeAndClock({ payloadType, clockRateHz }: { payloadType: number; clockRateHz: number }) {
  return { payloadType, clockRateHz };
}

/**
 * An offer of one audio stream with all our codecs (RFC 3264 section 5). SRTP that is optional is offered in a plain
 * profile, so that a peer without it can answer (RFC 8643), unless the peer insists on it.
 */
export function createOffer(local: LocalMedia): string {
  const stream = audioStream({
    port: local.port,
    protocol: local.srtp?.secureProfile ? 'RTP/SAVP' : 'RTP/AVP',
    formats: offeredFormats(local),
    ptimeMs: local.ptimeMs ?? defaultPtimeMs,
    rtcpMux: true,
    crypto: local.srtp?.offered ? offerSrtp(local.srtp) : [],
    direction: local.direction ?? 'sendrecv',
  });
  return describeLocal(local, [stream]);
}

/**
 * A later offer: the streams of the description we sent last, in their places and with their payload types (RFC 3264
 * section 8); the audio stream in use goes on, in another direction perhaps.
 */
export function repeatOffer(previous: string, local: LocalMedia): string {
  const { media } = parseSessionDescription(previous);
  const inUse = audioStreamOf(media);
  const direction = local.direction ?? 'sendrecv';
  return describeLocal(
    local,
    media.map((stream) => (stream === inUse ? redirected(stream, local.port, direction) : stream)),
  );
}

/** The stream that carries the call; where all are refused, the first. */
export function audioStreamOf(media: readonly MediaDescription[]): MediaDescription | undefined {
  const audio = media.filter(({ kind }) => kind.toLowerCase() === 'audio');
  return audio.find(({ port }) => port !== 0) ?? audio[0];
}

const directionNames: ReadonlySet<string> = new Set(['sendrecv', 'sendonly', 'recvonly', 'inactive']);

function redirected(stream: MediaDescription, port: number, direction: string): MediaDescription {
  const attributes = stream.attributes.filter(({ name }) => !directionNames.has(name));
  return { ...stream, port, attributes: [...attributes, { name: direction, value: undefined }] };
}
