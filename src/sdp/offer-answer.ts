import { CallreelError } from '../errors.ts';
import { intersect, mediaAddress, mediaDirection, reverse } from './direction.ts';
import {
  audioStream,
  codecFormat,
  defaultPtimeMs,
  describeLocal,
  type LocalMedia,
  offeredFormats,
  telephoneEventFmtp,
} from './local-description.ts';
import {
  type CodecPreference,
  choosePtimeMs,
  chooseTelephoneEvent,
  commonCodecs,
  type NegotiatedCodec,
  type NegotiatedMedia,
  type SdpCodec,
  telephoneEventAt,
} from './negotiation.ts';
import { type PayloadFormat, payloadFormats } from './payload-format.ts';
import {
  type MediaDescription,
  parseSessionDescription,
  type SessionDescription,
} from './session-description.ts';

export type { LocalMedia } from './local-description.ts';
export type { CodecPreference, NegotiatedMedia } from './negotiation.ts';

export interface AnsweredOffer {
  /** The SDP text to send. */
  answer: string;
  negotiated: NegotiatedMedia;
}

/** Plain RTP; AVPF only adds feedback that nobody is obliged to send. */
const plainProtocols: readonly string[] = ['RTP/AVP', 'RTP/AVPF'];

/**
 * Answers an offer (RFC 3264 section 6): takes its first audio stream over plain RTP that has a codec in common, in
 * the order of our preference, and refuses every other stream with port 0.
 * @throws CallreelError SDP_INVALID, NO_COMMON_CODEC
 */
export function answerOffer(offer: string, local: LocalMedia): AnsweredOffer {
  const session = parseSessionDescription(offer);
  const { media, codecs } = chooseStream(session, local.codecs);
  const formats = payloadFormats(media);
  const send = codecs[0]!;
  const event = local.telephoneEvents ? chooseTelephoneEvent(formats, send) : undefined;
  const direction = intersect(reverse(mediaDirection(session, media)), local.direction ?? 'sendrecv');
  const ptimeMs = choosePtimeMs(media, local.ptimeMs ?? defaultPtimeMs);

  const accepted = [...codecs.map(codecFormat), ...(event ? [{ ...event, fmtp: telephoneEventFmtp }] : [])];
  const answer = describeLocal(
    local,
    session.media.map((offered) =>
      offered === media
        ? audioStream(local.port, media.protocol, accepted, ptimeMs, direction)
        : { ...offered, port: 0, connection: undefined, attributes: [] },
    ),
  );
  return {
    answer,
    negotiated: {
      remote: mediaAddress(session, media),
      receive: codecs,
      send,
      ptimeMs,
      telephoneEvent: event && { payloadType: event.payloadType, clockRateHz: event.clockRateHz },
      direction,
    },
  };
}

function chooseStream(
  session: SessionDescription,
  preferences: readonly CodecPreference[],
): { media: MediaDescription; codecs: NegotiatedCodec[] } {
  const audio = session.media.filter(({ kind, port }) => kind === 'audio' && port !== 0);
  for (const media of audio) {
    if (!plainProtocols.includes(media.protocol.toUpperCase())) continue;
    const codecs = commonCodecs(payloadFormats(media), preferences);
    if (codecs.length > 0) return { media, codecs };
  }
  throw new CallreelError('NO_COMMON_CODEC', whyRefused(audio), { where: describeStreams(session.media) });
}

function whyRefused(audio: MediaDescription[]): string {
  if (audio.length === 0) return 'the offer has no audio stream';
  const plain = audio.filter(({ protocol }) => plainProtocols.includes(protocol.toUpperCase()));
  if (plain.length > 0) return 'the offer has no codec in common with ours';
  return `the offer has audio only over ${audio[0]!.protocol}; RTP/AVP is what is taken so far`;
}

function describeStreams(media: MediaDescription[]): string {
  return media
    .slice(0, 4)
    .map(({ kind, port, protocol, formats }) =>
      `m=${kind} ${port} ${protocol} ${formats.join(' ')}`.slice(0, 100),
    )
    .join('; ');
}

/** An offer of one audio stream with all our codecs (RFC 3264 section 5). */
export function createOffer(local: LocalMedia): string {
  const ptimeMs = local.ptimeMs ?? defaultPtimeMs;
  const formats = offeredFormats(local);
  return describeLocal(local, [
    audioStream(local.port, 'RTP/AVP', formats, ptimeMs, local.direction ?? 'sendrecv'),
  ]);
}

/**
 * What the answer to our offer came to (RFC 3264 section 7): we send by the answer's payload types and receive by
 * those of our offer; by the answer's too, where they differ, as some peers send by their own. Of the telephone-event only the payload type
 * we receive is kept.
 * @throws CallreelError SDP_INVALID, NO_COMMON_CODEC
 */
export function applyAnswer(offer: string, answer: string): NegotiatedMedia {
  const offeredSession = parseSessionDescription(offer);
  const index = offeredSession.media.findIndex(({ kind }) => kind === 'audio');
  const offered = offeredSession.media[index];
  const session = parseSessionDescription(answer);
  const media = session.media[index];
  if (!offered || media?.kind !== 'audio')
    throw new CallreelError('SDP_INVALID', 'the answer has no audio stream');
  if (media.port === 0) throw new CallreelError('NO_COMMON_CODEC', 'the answer refuses the audio stream');

  const ourFormats = payloadFormats(offered);
  const formats = payloadFormats(media);
  const ours = commonCodecs(ourFormats, preferencesOf(ourFormats));
  const theirs = commonCodecs(formats, preferencesOf(formats)).filter((codec) => ours.some(sameCodec(codec)));
  const send = theirs[0];
  if (!send)
    throw new CallreelError('NO_COMMON_CODEC', 'the answer has no codec of the offer', {
      where: describeStreams([media]),
    });

  const receive = theirs.map((codec) => ours.find(sameCodec(codec))!);
  const taken = new Set(ourFormats.map(({ payloadType }) => payloadType));
  receive.push(...theirs.filter(({ payloadType }) => !taken.has(payloadType)));
  const agreed = chooseTelephoneEvent(formats, send);
  const event = agreed && telephoneEventAt(ourFormats, agreed.clockRateHz);
  return {
    remote: mediaAddress(session, media),
    receive,
    send,
    ptimeMs: choosePtimeMs(media, choosePtimeMs(offered, defaultPtimeMs)),
    telephoneEvent: event && { payloadType: event.payloadType, clockRateHz: event.clockRateHz },
    direction: intersect(reverse(mediaDirection(session, media)), mediaDirection(offeredSession, offered)),
  };
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
