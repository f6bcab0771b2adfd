import { CallreelError } from '../errors.ts';
import { intersect, isMulticastStream, mediaAddress, mediaDirection, reverse } from './direction.ts';
import { defaultPtimeMs } from './local-description.ts';
import { applySrtp } from './local-srtp.ts';
import {
  type CodecPreference,
  choosePtimeMs,
  chooseTelephoneEvent,
  comfortNoiseFormats,
  commonCodecs,
  type NegotiatedCodec,
  type NegotiatedMedia,
  type NegotiatedTelephoneEvent,
  type SdpCodec,
  sentCodec,
  telephoneEventAt,
  telephoneEvents,
} from './negotiation.ts';
import { audioStreamOf } from './offer-answer.ts';
import { type PayloadFormat, payloadFormats } from './payload-format.ts';
import { negotiatedRtcp, wantsRtcpMux } from './rtcp-attributes.ts';
import {
  type MediaDescription,
  parseSessionDescription,
  type SessionDescription,
} from './session-description.ts';
import { describeStreams } from './stream-choice.ts';

/**
 * What the answer to our offer came to (RFC 3264 section 7): we send by the answer's payload types and receive by
 * those of our offer; by the answer's too, where they differ, as some peers send by their own.
 * @throws CallreelError SDP_INVALID, NO_COMMON_CODEC, MEDIA_TRANSPORT_UNSUPPORTED
 */
export function applyAnswer(offer: string, answer: string): NegotiatedMedia {
  const offeredSession = parseSessionDescription(offer);
  const session = parseSessionDescription(answer);
  const offered = audioStreamOf(offeredSession.media);
  if (!offered) throw new CallreelError('SDP_INVALID', 'the offer has no audio stream');
  const media = answeredStream(session, offeredSession.media.indexOf(offered));

  const ourFormats = payloadFormats(offered);
  const formats = payloadFormats(media);
  const ours = commonCodecs(ourFormats, preferencesOf(ourFormats), 'ours');
  const theirs = commonCodecs(formats, preferencesOf(formats), 'ours').filter((codec) =>
    ours.some(sameCodec(codec)),
  );
  const first = theirs[0];
  if (!first)
    throw new CallreelError('NO_COMMON_CODEC', 'the answer has no codec of the offer', {
      where: describeStreams([media]),
    });

  const receive = theirs.map((codec) => ours.find(sameCodec(codec))!);
  const taken = new Set(ourFormats.map(({ payloadType }) => payloadType));
  receive.push(...theirs.filter(({ payloadType }) => !taken.has(payloadType)));
  const telephoneEvent = agreedEvent(ourFormats, formats, first);
  const otherEvents = telephoneEvent ? otherEventsOf(ourFormats, formats, telephoneEvent.payloadType) : [];
  const noise = agreedNoise(ourFormats, formats);
  const srtp = applySrtp(offered, media);
  return {
    remote: mediaAddress(session, media),
    receive,
    send: sentCodec(first, formats),
    ptimeMs: choosePtimeMs(media, choosePtimeMs(offered, defaultPtimeMs)),
    telephoneEvent,
    ...(otherEvents.length > 0 && { otherTelephoneEvents: otherEvents }),
    ...(noise.length > 0 && { comfortNoise: noise }),
    ...(srtp && { srtp }),
    rtcp: negotiatedRtcp(session, media, wantsRtcpMux(offered) && wantsRtcpMux(media)),
    direction: intersect(reverse(mediaDirection(session, media)), mediaDirection(offeredSession, offered)),
  };
}

/** In the place of the stream it answers, or, from those who drop what they refuse, the only audio stream there is. */
function answeredStream(session: SessionDescription, index: number): MediaDescription {
  const inPlace = session.media[index];
  const media = inPlace?.kind.toLowerCase() === 'audio' ? inPlace : audioStreamOf(session.media);
  if (!media) throw new CallreelError('SDP_INVALID', 'the answer has no audio stream');
  if (media.port === 0) throw new CallreelError('NO_COMMON_CODEC', 'the answer refuses the audio stream');
  if (isMulticastStream(session, media))
    throw new CallreelError('MEDIA_TRANSPORT_UNSUPPORTED', 'the answer asks for a multicast address');
  return media;
}

function agreedEvent(
  ourFormats: PayloadFormat[],
  formats: PayloadFormat[],
  send: NegotiatedCodec,
): NegotiatedTelephoneEvent | undefined {
  const theirs = chooseTelephoneEvent(formats, send);
  const ours = theirs && telephoneEventAt(ourFormats, theirs.clockRateHz);
  if (!ours) return undefined;
  const { payloadType, clockRateHz } = ours;
  return theirs.payloadType === payloadType
    ? { payloadType, clockRateHz }
    : { payloadType, clockRateHz, sendPayloadType: theirs.payloadType };
}

/**
 * By the numbers of our offer at every clock that the answer has too, and by the answer's own numbers where ours leave
 * them free.
 * @param used what is known already
 */
function otherEventsOf(
  ourFormats: PayloadFormat[],
  formats: PayloadFormat[],
  used: number,
): { payloadType: number; clockRateHz: number }[] {
  const theirs = telephoneEvents(formats);
  const ours = telephoneEvents(ourFormats).filter(({ clockRateHz }) =>
    theirs.some((their) => their.clockRateHz === clockRateHz),
  );
  const taken = new Set(ourFormats.map(({ payloadType }) => payloadType));
  return [...ours, ...theirs.filter(({ payloadType }) => !taken.has(payloadType))]
    .filter(({ payloadType }) => payloadType !== used)
    .map(({ payloadType, clockRateHz }) => ({ payloadType, clockRateHz }));
}

function agreedNoise(
  ourFormats: PayloadFormat[],
  formats: PayloadFormat[],
): { payloadType: number; clockRateHz: number }[] {
  const ours = comfortNoiseFormats(ourFormats);
  return comfortNoiseFormats(formats)
    .filter(({ clockRateHz }) => ours.some((own) => own.clockRateHz === clockRateHz))
    .map(({ payloadType, clockRateHz }) => ({ payloadType, clockRateHz }));
}

const codecNames: readonly string[] = ['PCMU', 'PCMA', 'G722', 'OPUS'] satisfies SdpCodec[];

/** The codecs among the formats, once each, as preferences in their own order. */
function preferencesOf(formats: PayloadFormat[]): CodecPreference[] {
  const isCodec = (name: string): name is SdpCodec => codecNames.includes(name);
  const preferences = new Map<string, CodecPreference>();
  for (const { encoding, clockRateHz } of formats)
    if (isCodec(encoding)) preferences.set(`${encoding}/${clockRateHz}`, { codec: encoding, clockRateHz });
  return [...preferences.values()];
}

function sameCodec(a: NegotiatedCodec): (b: NegotiatedCodec) => boolean {
  return (b) => a.codec === b.codec && a.clockRateHz === b.clockRateHz;
}
