import { randomInt } from 'node:crypto';
import { acceptedTypes, mediaType, sdpType, sessionDescription } from './body.ts';
import { allowedMethods, allowHeader } from './capabilities.ts';
import type { Dialog } from './dialog.ts';
import type { SipRequest } from './message.ts';
import type { OfferExchange } from './offer-exchange.ts';
import type { ResponseOptions } from './serializer.ts';
import type { OfferAnswer, SipHeader, SipSessionHandlers } from './session.ts';
import type { Log } from './session-context.ts';
import type { TimerAnswer, TimerRefusal } from './session-expires.ts';
import { InviteServerTransaction } from './transaction-invite-server.ts';
import type { ServerTransaction } from './transaction-layer.ts';
import type { Flow } from './transport.ts';

/** What the session does for it. */
export interface PeerOfferUser {
  callId(): string;
  readonly log: Log;
  readonly exchange: OfferExchange;
  handlers(): SipSessionHandlers;
  /** Why no INVITE can be taken now (RFC 3261 section 14.2). */
  inviteRefusal(): 491 | 500 | undefined;
  /** What is to be said about the session timer; undefined before the session is established. */
  answerTimer(request: SipRequest): TimerAnswer | TimerRefusal | undefined;
  timerAgreed(answer: TimerAnswer): void;
  contactHeader(flow: Flow): SipHeader;
  respond(transaction: ServerTransaction, status: number, options?: ResponseOptions): void;
  /** Sends the 2xx to a re-INVITE until its ACK comes. */
  acceptInvite(
    transaction: InviteServerTransaction,
    options: ResponseOptions,
    acknowledged: (ack: SipRequest | undefined) => void,
  ): void;
  notify<Result>(call: () => Result): Result | undefined;
  /** An answer is out, or the offer was refused. */
  settled(): void;
}

/** The offers that come inside a dialog: by re-INVITE (RFC 3261 section 14.2), UPDATE (RFC 3311) and PRACK (RFC 3262). */
export class PeerOffers {
  readonly #user: PeerOfferUser;
  /** The offer that call control has not answered yet. */
  #open: ServerTransaction | undefined;

  constructor(user: PeerOfferUser) {
    this.#user = user;
  }

  /** A re-INVITE of the peer waits for its final response. */
  get inviting(): boolean {
    return this.#open instanceof InviteServerTransaction;
  }

  /** The session ended: RFC 3261 section 15.1.2 has what is still pending answered with 487. */
  abandon(): void {
    const open = this.#open;
    this.#open = undefined;
    if (open !== undefined) this.#user.respond(open, 487);
  }

  receive(transaction: ServerTransaction, dialog: Dialog): void {
    const { request } = transaction;
    const offer = sessionDescription(request);
    if (mediaType(request) !== undefined && offer === undefined) {
      this.#user.respond(transaction, 415, { headers: [{ name: 'Accept', value: acceptedTypes }] });
      return;
    }
    const timer = request.method === 'PRACK' ? undefined : this.#user.answerTimer(request);
    if (timer?.status !== undefined) {
      this.#user.respond(transaction, timer.status, { headers: timer.headers });
      return;
    }
    const isInvite = request.method === 'INVITE';
    const refusal = this.#refusal(isInvite, offer);
    if (refusal !== undefined) {
      this.#refuse(transaction, refusal);
      return;
    }
    if (request.method !== 'PRACK') dialog.refreshTarget(request);
    if (isInvite || offer !== undefined) this.#ask(transaction, offer, timer);
    else this.#accept(transaction, undefined, offer, timer);
  }

  #refusal(isInvite: boolean, offer: string | undefined): 491 | 500 | undefined {
    if (isInvite) return this.#user.inviteRefusal() ?? this.#user.exchange.refusal;
    return offer === undefined ? undefined : this.#user.exchange.refusal;
  }

  #refuse(transaction: ServerTransaction, status: 491 | 500): void {
    const headers = status === 500 ? [{ name: 'Retry-After', value: String(randomInt(0, 11)) }] : [];
    this.#user.respond(transaction, status, { headers });
  }

  #ask(transaction: ServerTransaction, offer: string | undefined, timer: TimerAnswer | undefined): void {
    if (offer !== undefined) this.#user.exchange.receiveOffer(offer);
    this.#open = transaction;
    const answer = this.#answerTo(offer);
    if (!(answer instanceof Promise)) {
      this.#answered(transaction, answer, offer, timer);
      return;
    }
    if (transaction instanceof InviteServerTransaction) this.#user.respond(transaction, 100);
    void this.#answerLater(transaction, answer, offer, timer);
  }

  #answerTo(offer: string | undefined): OfferAnswer | Promise<OfferAnswer> {
    const handlers = this.#user.handlers();
    if (handlers.reoffered === undefined) return { status: 488 };
    return this.#user.notify(() => handlers.reoffered?.(offer)) ?? { status: 500 };
  }

  /** A CANCEL changes nothing: what was offered is on its way into force, and its answer follows at once. */
  async #answerLater(
    transaction: ServerTransaction,
    promised: Promise<OfferAnswer>,
    offer: string | undefined,
    timer: TimerAnswer | undefined,
  ): Promise<void> {
    let answer: OfferAnswer;
    try {
      answer = await promised;
    } catch (error) {
      const callId = this.#user.callId();
      this.#user.log('error', 'an offer could not be answered', { callId, error });
      answer = { status: 500 };
    }
    this.#user.notify(() => this.#answered(transaction, answer, offer, timer));
  }

  #answered(
    transaction: ServerTransaction,
    answer: OfferAnswer,
    offer: string | undefined,
    timer: TimerAnswer | undefined,
  ): void {
    // Refused already where the session ended meanwhile.
    if (this.#open !== transaction) return;
    this.#open = undefined;
    if (typeof answer === 'string') {
      this.#accept(transaction, answer, offer, timer);
      return;
    }
    if (offer !== undefined) this.#user.exchange.refuse();
    this.#user.respond(transaction, answer.status, { reason: answer.reason });
    this.#user.settled();
  }

  /** @param sdp our answer to `offer`, or our offer where there is none */
  #accept(
    transaction: ServerTransaction,
    sdp: string | undefined,
    offer: string | undefined,
    timer: TimerAnswer | undefined,
  ): void {
    const { exchange } = this.#user;
    const body = sdp === undefined ? undefined : { contentType: sdpType, content: sdp };
    const headers = [
      this.#user.contactHeader(transaction.flow),
      allowHeader(allowedMethods),
      ...(timer?.headers ?? []),
    ];
    if (timer !== undefined) this.#user.timerAgreed(timer);
    if (sdp !== undefined && offer !== undefined) exchange.sendAnswer(sdp);
    if (!(transaction instanceof InviteServerTransaction)) {
      this.#user.respond(transaction, 200, { headers, body });
      this.#user.settled();
      return;
    }
    if (sdp !== undefined && offer === undefined) exchange.sendOffer(sdp);
    this.#user.acceptInvite(transaction, { headers, body }, (ack) => {
      if (offer === undefined) this.#answeredByAck(ack && sessionDescription(ack));
      this.#user.settled();
    });
  }

  /** An ACK without the answer it owes leaves the session as it was. */
  #answeredByAck(answer: string | undefined): void {
    const { exchange } = this.#user;
    if (!exchange.sent) return;
    if (answer === undefined) {
      exchange.refuse();
      return;
    }
    exchange.receiveAnswer(answer);
    this.#user.notify(() => this.#user.handlers().answered?.(answer));
  }
}
