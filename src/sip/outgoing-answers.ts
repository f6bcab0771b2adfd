import { sdpType } from './body.ts';
import type { Dialog } from './dialog.ts';
import type { Fork } from './forks.ts';
import type { OfferExchange } from './offer-exchange.ts';
import type { RequestDraft } from './serializer.ts';
import type { OfferAnswer } from './session.ts';

export interface OutgoingAnswersUser {
  readonly exchange: OfferExchange;
  /** Whether our INVITE carries the offer. */
  readonly offers: boolean;
  /** Call control's answer to an offer of the peer. Never throws. */
  reoffered(sdp: string): OfferAnswer | Promise<OfferAnswer> | undefined;
  failed(error: unknown): void;
  /** Sends a PRACK. */
  send(draft: RequestDraft, dialog: Dialog): void;
}

/** The offers and answers of an INVITE of ours, in provisional answers, PRACKs and the 2xx (RFC 3261 section 13.2.1). */
export class OutgoingAnswers {
  readonly #user: OutgoingAnswersUser;
  #answeredFork: Dialog | undefined;

  constructor(user: OutgoingAnswersUser) {
    this.#user = user;
  }

  /** The early dialog in which our offer was answered reliably: UPDATE goes there. */
  get answeredFork(): Dialog | undefined {
    return this.#answeredFork;
  }

  /** The first description in a reliable response is the answer; others say it again. */
  of({ dialog, earlyAnswer }: Fork, sdp: string | undefined): string | undefined {
    const { exchange, offers } = this.#user;
    const said = sdp ?? earlyAnswer;
    if (exchange.sent && said !== undefined) exchange.receiveAnswer(said);
    else if (exchange.agreed && this.#answeredFork !== dialog && said !== undefined) exchange.remote = said;
    return exchange.agreed && offers ? exchange.remote : undefined;
  }

  /** The peer's offer, where our INVITE had none. @returns our answer; undefined where it was refused */
  async answer(offer: string): Promise<string | undefined> {
    const { exchange } = this.#user;
    exchange.receiveOffer(offer);
    let answer: OfferAnswer | undefined;
    try {
      answer = await this.#user.reoffered(offer);
    } catch (error) {
      this.#user.failed(error);
    }
    if (typeof answer !== 'string') {
      exchange.refuse();
      return undefined;
    }
    exchange.sendAnswer(answer);
    return answer;
  }

  /** The PRACK of a provisional answer (RFC 3262 section 4). */
  async acknowledge(dialog: Dialog, rack: string, sdp: string | undefined): Promise<void> {
    const { exchange } = this.#user;
    let body: string | undefined;
    if (sdp !== undefined && exchange.state === 'first-sent') {
      this.#answeredFork = dialog;
      exchange.receiveAnswer(sdp);
    } else if (sdp !== undefined && exchange.state === 'none') {
      this.#answeredFork = dialog;
      body = await this.answer(sdp);
    }
    const draft = dialog.draft('PRACK', {
      headers: [{ name: 'RAck', value: rack }],
      body: body === undefined ? undefined : { contentType: sdpType, content: body },
    });
    this.#user.send(draft, dialog);
  }
}
