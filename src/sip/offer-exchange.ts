import { nextState, type TransitionTable } from '../state-machine.ts';

export type OfferState = 'none' | 'first-sent' | 'first-received' | 'agreed' | 'sent' | 'received';
export type OfferEvent = 'send-offer' | 'receive-offer' | 'send-answer' | 'receive-answer' | 'refuse';

/**
 * Offers and answers of one dialog, whatever message carries them: RFC 3264 section 4 (never two offers at once),
 * RFC 3261 sections 13.2.1 and 14, RFC 3262 section 5, RFC 3311 section 5, summed up in RFC 6337 section 2.
 */
export const offerTable: TransitionTable<OfferState, OfferEvent> = {
  none: {
    'send-offer': 'first-sent', // 3261 13.2.1: in the INVITE, or in the first reliable response to one without
    'receive-offer': 'first-received', // 3261 13.2.1
  },
  'first-sent': {
    'receive-answer': 'agreed', // 3261 13.2.1: 2xx or ACK; 3262 5: reliable provisional response or PRACK
    refuse: 'none', // 3262 5: a PRACK that answers nothing; 3261 13.2.2.3, 21.4.26: a 488. Another offer may follow
  },
  'first-received': {
    'send-answer': 'agreed', // 3261 13.2.1
    refuse: 'none', // 3261 13.3.1.3: 488
  },
  agreed: {
    'send-offer': 'sent', // 3261 14.1, 3311 5.1
    'receive-offer': 'received', // 3261 14.2, 3311 5.2
  },
  sent: {
    'receive-answer': 'agreed', // 3264 7
    refuse: 'agreed', // 3261 14.1: the session goes on as if nothing had been asked
  },
  received: {
    'send-answer': 'agreed', // 3264 6
    refuse: 'agreed', // 3261 14.2: 488, and the session goes on
  },
};

/** Where the offers of a dialog stand, and what was last agreed. */
export class OfferExchange {
  #state: OfferState = 'none';
  /** Our latest session description that is in force. */
  local: string | undefined;
  /** The peer's. */
  remote: string | undefined;
  #proposed: string | undefined;

  get state(): OfferState {
    return this.#state;
  }

  /** No offer waits for its answer, and there was one. */
  get agreed(): boolean {
    return this.#state === 'agreed';
  }

  /** Our offer waits for its answer. */
  get sent(): boolean {
    return this.#state === 'sent' || this.#state === 'first-sent';
  }

  /**
   * What an offer of the peer is refused with now. RFC 3261 section 14.2 and RFC 3311 section 5.2: 491 where our own
   * offer is open, 500 where the peer's one is.
   */
  get refusal(): 491 | 500 | undefined {
    if (this.#state === 'agreed') return undefined;
    return this.sent ? 491 : 500;
  }

  sendOffer(sdp: string): void {
    this.#move('send-offer');
    this.#proposed = sdp;
  }

  receiveOffer(sdp: string): void {
    this.#move('receive-offer');
    this.#proposed = sdp;
  }

  sendAnswer(sdp: string): void {
    this.#move('send-answer');
    this.remote = this.#proposed;
    this.local = sdp;
  }

  receiveAnswer(sdp: string): void {
    this.#move('receive-answer');
    this.local = this.#proposed;
    this.remote = sdp;
  }

  refuse(): void {
    this.#move('refuse');
  }

  #move(event: OfferEvent): void {
    this.#state = nextState('offer', offerTable, this.#state, event) ?? this.#state;
  }
}
