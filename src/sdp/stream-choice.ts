import { CallreelError, type ErrorCode } from '../errors.ts';
import { isMulticastStream } from './direction.ts';
import type { LocalMedia } from './local-description.ts';
import { type AnsweredSrtp, answerSrtp, isSecureProfile } from './local-srtp.ts';
import { commonCodecs, type NegotiatedCodec } from './negotiation.ts';
import { payloadFormats } from './payload-format.ts';
import { attributeValue, type MediaDescription, type SessionDescription } from './session-description.ts';

export interface ChosenStream {
  media: MediaDescription;
  /** What is sent first. */
  codecs: NegotiatedCodec[];
  srtp: AnsweredSrtp | undefined;
}

interface Refusal {
  code: ErrorCode;
  reason: string;
}

/**
 * The first audio stream of an offer that we can take. A plain profile with `a=crypto` is SRTP where both sides have
 * it (RFC 8643).
 * @throws CallreelError NO_COMMON_CODEC, MEDIA_TRANSPORT_UNSUPPORTED with what stands in the way of the first stream
 */
export function chooseStream(session: SessionDescription, local: LocalMedia): ChosenStream {
  let refusal: Refusal | undefined;
  for (const media of session.media) {
    if (media.kind.toLowerCase() !== 'audio' || media.port === 0) continue;
    const outcome = tryStream(session, media, local);
    if ('media' in outcome) return outcome;
    refusal ??= outcome;
  }
  const { code, reason } = refusal ?? { code: 'NO_COMMON_CODEC', reason: 'the offer has no audio stream' };
  throw new CallreelError(code, reason, { where: describeStreams(session.media) });
}

function tryStream(
  session: SessionDescription,
  media: MediaDescription,
  local: LocalMedia,
): ChosenStream | Refusal {
  const srtp = transportOf(media, local);
  if (srtp && 'code' in srtp) return srtp;
  if (isMulticastStream(session, media)) return unsupported('the offer asks for a multicast address');
  const codecs = commonCodecs(payloadFormats(media), local.codecs, local.codecOrder ?? 'offer');
  if (codecs.length > 0) return { media, codecs, srtp };
  return { code: 'NO_COMMON_CODEC', reason: 'the offer has no codec in common with ours' };
}

/** @returns the keys agreed, undefined for plain RTP, or why the stream cannot be taken */
function transportOf(
  media: MediaDescription,
  { srtp: local }: LocalMedia,
): AnsweredSrtp | Refusal | undefined {
  const protocol = media.protocol.slice(0, 40);
  const secure = isSecureProfile(protocol);
  if (!secure && !/^RTP\/AVPF?$/i.test(protocol)) {
    const what = isDtls(media) ? `DTLS-SRTP (${protocol})` : protocol;
    return unsupported(`the offer has audio over ${what} only`);
  }
  const policy = local?.policy ?? 'off';
  const srtp = local && policy !== 'off' ? answerSrtp(media, local) : undefined;
  if (srtp) return srtp;
  if (secure && policy === 'off')
    return unsupported('the offer has audio over SRTP only, which is switched off here');
  if (secure && isDtls(media)) return unsupported(`the offer has audio over DTLS-SRTP (${protocol}) only`);
  if (secure)
    return unsupported(`the offer has audio over ${protocol} without an a=crypto that is known here`);
  return policy === 'required'
    ? unsupported('the offer has audio without SRTP, which is required here')
    : undefined;
}

function unsupported(reason: string): Refusal {
  return { code: 'MEDIA_TRANSPORT_UNSUPPORTED', reason };
}

function isDtls(media: MediaDescription): boolean {
  return /TLS/i.test(media.protocol) || attributeValue(media, 'fingerprint') !== undefined;
}

/** For logs and errors: the m-lines alone, which hold no keys. */
export function describeStreams(media: readonly MediaDescription[]): string {
  return media
    .slice(0, 4)
    .map(({ kind, port, protocol, formats }) =>
      `m=${kind} ${port} ${protocol} ${formats.join(' ')}`.slice(0, 100),
    )
    .join('; ');
}
