import { randomInt } from 'node:crypto';
import { CallreelError } from '../errors.ts';
import { applyAnswer } from './applied-answer.ts';
import type { Direction } from './direction.ts';
import { describeLocal, refusedStream } from './local-description.ts';
import { LocalSrtp } from './local-srtp.ts';
import { type CodecPreference, codecAndClock, type NegotiatedMedia } from './negotiation.ts';
import {
  type AnsweredOffer,
  createOffer,
  type LocalMedia,
  repeatOffer,
  type TakenOffer,
  takeOffer,
} from './offer-answer.ts';
import { parseSessionDescription, type SessionDescription } from './session-description.ts';
import type { SrtpPolicy } from './srtp-parameters.ts';

export type NegotiatorOptions = Omit<LocalMedia, 'sessionId' | 'version' | 'direction' | 'srtp'> & {
  sessionId?: string;
  /** `off` where it is not set. */
  srtp?: SrtpPolicy;
  /** False: what is optional is taken where the peer offers it, and not offered. */
  offersSrtp?: boolean;
};

export interface OfferOptions {
  direction?: Direction;
  /** Codecs that the first offer puts before the others, if they are ours at all. */
  preferred?: readonly CodecPreference[];
}

/**
 * Our side of one SIP dialog's media over its whole life. Keeps the session id, and counts the version up exactly
 * when a description differs from the one sent before (RFC 3264 section 8).
 */
export class MediaNegotiator {
  readonly #local: LocalMedia;
  readonly #srtp: LocalSrtp;
  #version = 1;
  #sent: string | undefined;
  #offered: string | undefined;
  /** The last description of ours with a stream in use, that later offers go by. */
  #active: string | undefined;
  #agreed: NegotiatedMedia | undefined;
  /** Codecs that the latest offer put before the others. */
  #preferred: readonly CodecPreference[] = [];

  constructor({ srtp = 'off', offersSrtp, ...options }: NegotiatorOptions) {
    this.#srtp = new LocalSrtp(srtp, offersSrtp);
    const sessionId = options.sessionId ?? String(randomInt(1, 2 ** 47));
    this.#local = { ...options, sessionId, version: 1, srtp: this.#srtp };
  }

  /** What is in force; undefined before the first agreement. */
  get agreed(): NegotiatedMedia | undefined {
    return this.#agreed;
  }

  /** An offer, the first or a later one; it is the one `apply` then goes by. */
  offer({ direction = 'sendrecv', preferred = [] }: OfferOptions = {}): string {
    const previous = this.#agreed && this.#active;
    this.#preferred = preferred;
    const local = { ...this.#local, direction, codecs: preferredFirst(this.#local.codecs, preferred) };
    this.#offered = this.#describe((version) =>
      previous === undefined
        ? createOffer({ ...local, version })
        : repeatOffer(previous, { ...local, version }),
    );
    return (this.#active = this.#offered);
  }

  /**
   * The same offer in RTP/SAVP, for a peer that refused it in RTP/AVP though there were keys with it.
   * @returns undefined where SRTP was not offered, or not as an option, or something is agreed already
   */
  secureOffer(): string | undefined {
    if (this.#offered === undefined || this.#agreed !== undefined || !this.#srtp.insist()) return undefined;
    return this.offer({ preferred: this.#preferred });
  }

  /**
   * Takes an answer to the latest offer; an early one may be followed by others.
   * @throws CallreelError SDP_INVALID, NO_COMMON_CODEC, MEDIA_TRANSPORT_UNSUPPORTED
   */
  apply(answer: string): NegotiatedMedia {
    if (this.#offered === undefined)
      throw new CallreelError('SDP_INVALID', 'an answer came without an offer of ours');
    return (this.#agreed = applyAnswer(this.#offered, answer));
  }

  /**
   * Whether `answer` takes this as a first offer; nothing is made of it.
   * @throws as `answer`
   */
  examine(offer: string): void {
    takeOffer(parseSessionDescription(offer), this.#local);
  }

  /**
   * Answers an offer of the peer, the first or a later one.
   * @param offer its text, or what was read of that
   * @throws CallreelError SDP_INVALID, NO_COMMON_CODEC, MEDIA_TRANSPORT_UNSUPPORTED; what was agreed before then stays
   */
  answer(offer: string | SessionDescription, direction: Direction = 'sendrecv'): AnsweredOffer {
    const session = typeof offer === 'string' ? parseSessionDescription(offer) : offer;
    const local = { ...this.#local, direction };
    const suspended = this.#suspend(session, local);
    if (suspended) return suspended;
    const { streams, negotiated } = this.#take(session, local);
    const answer = this.#describe((version) => describeLocal({ ...local, version }, streams));
    this.#active = answer;
    // A refresh of the session offers what was answered here.
    this.#offered = answer;
    this.#agreed = negotiated;
    return { answer, negotiated };
  }

  /** A later offer that disables every stream (port 0) puts the call on hold; another one may go on with it. */
  #suspend({ media }: SessionDescription, local: LocalMedia): AnsweredOffer | undefined {
    const agreed = this.#agreed;
    if (!agreed || media.length === 0 || media.some(({ port }) => port !== 0)) return undefined;
    const answer = this.#describe((version) =>
      describeLocal({ ...local, version }, media.map(refusedStream)),
    );
    const negotiated: NegotiatedMedia = { ...agreed, direction: 'inactive', remote: undefined };
    this.#agreed = negotiated;
    return { answer, negotiated };
  }

  /** Where the peer has other keys, ours change too. */
  #take(session: SessionDescription, local: LocalMedia): TakenOffer {
    const taken = takeOffer(session, local);
    if (!this.#peerChangedKeys(taken.negotiated)) return taken;
    this.#srtp.renew();
    return takeOffer(session, local);
  }

  #peerChangedKeys({ srtp }: NegotiatedMedia): boolean {
    const before = this.#agreed?.srtp;
    return !!srtp && !!before && JSON.stringify(srtp.receive) !== JSON.stringify(before.receive);
  }

  #describe(write: (version: number) => string): string {
    const unchanged = write(this.#version);
    if (this.#sent === undefined || unchanged === this.#sent) return (this.#sent = unchanged);
    return (this.#sent = write(++this.#version));
  }
}

function preferredFirst(
  codecs: readonly CodecPreference[],
  preferred: readonly CodecPreference[],
): readonly CodecPreference[] {
  const nameOf = (preference: CodecPreference): string => Object.values(codecAndClock(preference)).join('/');
  const ours = new Set(codecs.map(nameOf));
  const first = preferred.filter((preference) => ours.has(nameOf(preference)));
  const names = new Set(first.map(nameOf));
  return [...first, ...codecs.filter((preference) => !names.has(nameOf(preference)))];
}
