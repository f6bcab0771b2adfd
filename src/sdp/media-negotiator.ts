import { randomInt } from 'node:crypto';
import { CallreelError } from '../errors.ts';
import type { Direction } from './direction.ts';
import type { NegotiatedMedia } from './negotiation.ts';
import {
  type AnsweredOffer,
  answerOffer,
  applyAnswer,
  createOffer,
  type LocalMedia,
} from './offer-answer.ts';

export type NegotiatorOptions = Omit<LocalMedia, 'sessionId' | 'version' | 'direction'> & {
  sessionId?: string;
};

/**
 * Our side of one SIP dialog's media over its whole life. Keeps the session id, and counts the version up exactly
 * when a description differs from the one sent before (RFC 3264 section 8).
 */
export class MediaNegotiator {
  readonly #local: LocalMedia;
  #version = 1;
  #sent: string | undefined;
  #offered: string | undefined;

  constructor(options: NegotiatorOptions) {
    this.#local = { ...options, sessionId: options.sessionId ?? String(randomInt(1, 2 ** 47)), version: 1 };
  }

  /** An offer, the first or a later one; it is the one `apply` then goes by. */
  offer(direction: Direction = 'sendrecv'): string {
    this.#offered = this.#describe((version) => createOffer({ ...this.#local, direction, version }));
    return this.#offered;
  }

  /**
   * Takes an answer to the latest offer; an early one may be followed by others.
   * @throws CallreelError SDP_INVALID, NO_COMMON_CODEC
   */
  apply(answer: string): NegotiatedMedia {
    if (this.#offered === undefined)
      throw new CallreelError('SDP_INVALID', 'an answer came without an offer of ours');
    return applyAnswer(this.#offered, answer);
  }

  /**
   * Answers an offer of the peer, the first or a later one.
   * @throws CallreelError SDP_INVALID, NO_COMMON_CODEC; what was agreed before then stays
   */
  answer(offer: string, direction: Direction = 'sendrecv'): AnsweredOffer {
    const { negotiated } = answerOffer(offer, { ...this.#local, direction });
    const answer = this.#describe(
      (version) => answerOffer(offer, { ...this.#local, direction, version }).answer,
    );
    return { answer, negotiated };
  }

  #describe(write: (version: number) => string): string {
    const unchanged = write(this.#version);
    if (this.#sent === undefined || unchanged === this.#sent) return (this.#sent = unchanged);
    return (this.#sent = write(++this.#version));
  }
}
