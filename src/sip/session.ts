/**
 * One INVITE dialog as the call control sees it, incoming or outgoing. Bodies are SDP texts; this folder never looks
 * into them.
 */
export interface SipAddress {
  displayName: string | undefined;
  /** `sip:` or `sips:` or `tel:` URI without header parameters. */
  uri: string;
  /** User part, percent-decoded; for `tel:` the number. Empty when there is none. */
  user: string;
  host: string;
}

export interface SipHeader {
  name: string;
  value: string;
}

/** How a session ended; reported exactly once. */
export interface SipEnd {
  cause: 'local' | 'remote' | 'cancelled' | 'rejected' | 'timeout' | 'error';
  /** Final SIP status of an INVITE that never was established. */
  status?: number;
  /** Reason header or phrase, for logs. */
  reason?: string;
}

export interface SipRejection {
  status: number;
  reason?: string;
}

/** A dialog as a Replaces header names it (RFC 3891 section 6.1): the tags as its receiver sees them. */
export interface SipReplaces {
  callId: string;
  /** Of whoever is asked to replace it. */
  toTag: string;
  fromTag: string;
  /** Only while it was not answered. */
  earlyOnly: boolean;
}

/**
 * The peer asks us to call somebody: a transfer (RFC 3515). Exactly one of `accept` and `reject` answers it; every
 * later call, or one after the end of the session, does nothing.
 */
export interface SipReferral {
  readonly target: SipAddress;
  /** Attended: the call that is to be replaced by the new one. */
  readonly replaces: SipReplaces | undefined;
  /** Value of Referred-By (RFC 3892), to be passed on with the new call. */
  readonly referredBy: string | undefined;
  /** 202, and a NOTIFY with 100. */
  accept(): void;
  /** Tells how the new call fares: a provisional status. */
  progress(status: number, reason?: string): void;
  /** Tells how it came out, by the final status; settles when the peer has heard it or can not be reached. */
  finish(status: number, reason?: string): Promise<void>;
  reject(status: number, reason?: string): void;
}

export interface ReferOptions {
  /** Attended transfer: the target's call with us (`replacesOf`). */
  replaces?: SipReplaces | undefined;
  /** Value of Referred-By. */
  referredBy?: string | undefined;
  /** What the peer tells before the outcome. */
  progress?(status: number, reason: string): void;
}

/** The last status that was told of a transfer; undefined where the peer told nothing. */
export interface ReferOutcome {
  status: number | undefined;
  reason: string;
}

/** An SDP text, or why there is none. */
export type OfferAnswer = string | SipRejection;

export interface SipSessionHandlers {
  /** Outgoing: a response of any kind, also a 100: somebody is there. May come several times. */
  responded?(): void;
  /**
   * Outgoing: a provisional answer, with SDP when it carries early media. `fork` tells the places apart that ring at
   * once; one of them, or another one, answers.
   */
  progress?(status: number, sdp: string | undefined, fork?: string): void;
  /**
   * Outgoing: the offer was refused as such (488, 415, 606), and nothing agreed yet. Gives another one, which is sent in
   * a new INVITE of the same call; undefined: the call is refused. Asked once.
   */
  offerRefused?(status: number): string | undefined;
  /**
   * The peer's answer to our offer. Outgoing: with the 2xx; the ACK is sent by the stack. Incoming: with the ACK or the
   * PRACK, where the INVITE or re-INVITE came without an offer and we made one. Once more, where a refresh of the
   * session by the stack was answered with something new.
   */
  answered?(sdp: string): void;
  /** Incoming: the ACK came. Outgoing: right after `answered`. */
  established?(): void;
  /**
   * re-INVITE, UPDATE or PRACK with an offer (undefined: an offerless re-INVITE, give an offer), or the peer's offer in
   * answer to an INVITE of ours without one. Gives the answer, which is sent when it is there; other offers are refused
   * meanwhile. One that comes after the end is dropped.
   */
  reoffered?(sdp: string | undefined): OfferAnswer | Promise<OfferAnswer>;
  /** REFER inside the dialog; without this handler it is answered 603. */
  referred?(referral: SipReferral): void;
  /** INFO inside the dialog; answered 200 by the stack. */
  info?(contentType: string, body: string): void;
  ended(end: SipEnd): void;
}

export interface SipSession {
  readonly id: string;
  readonly callId: string;
  readonly direction: 'incoming' | 'outgoing';
  readonly state: 'calling' | 'early' | 'accepted' | 'established' | 'ended';
  readonly requestUri: string;
  readonly from: SipAddress;
  readonly to: SipAddress;
  /** Transport address the INVITE came from or goes to. */
  readonly peer: { transport: 'udp' | 'tcp' | 'tls'; address: string; port: number };
  /** Of the dialog, once there is one that was answered; incoming: from the start. */
  readonly dialogId?: { callId: string; localTag: string; remoteTag: string } | undefined;
  /** Incoming: the call of ours that this one is to take the place of (RFC 3891); already checked. */
  readonly replacesSession?: SipSession | undefined;
  /** Headers of the INVITE, in order, names as received. */
  readonly headers: readonly SipHeader[];
  /** Incoming: the offer; undefined for a late offer. */
  readonly offer: string | undefined;
  /** Set before the first event can come: synchronously inside `onInvite`, or given to `invite`. */
  handlers: SipSessionHandlers;
  /** Incoming, before the final answer: 180 or 183. */
  provisional(status: number, sdp?: string): void;
  /** Incoming: 200 OK, repeated until the ACK comes; without one the session ends with `timeout` and a BYE. */
  accept(sdp: string): void;
  /** Incoming, before the final answer. */
  reject(rejection: SipRejection & { headers?: SipHeader[] }): void;
  /**
   * Sends a re-INVITE with this offer, once the session is established and nothing else is being changed. Gives the
   * peer's answer.
   * @throws CallreelError SIP_REFUSED with the status in `where`; the session goes on as before, or is at its end (481)
   */
  reoffer?(sdp: string): Promise<string>;
  /** Whether the peer said that it takes UPDATE. */
  readonly allowsUpdate?: boolean;
  /**
   * As `reoffer`, by UPDATE (RFC 3311): before the final answer too, once the first offer was answered reliably.
   * @throws as `reoffer`
   */
  update?(sdp: string): Promise<string>;
  /**
   * Established: asks the peer to call `target` (a URI without headers), and waits for what comes of it.
   * @throws CallreelError SIP_REFUSED with the status in `where`, SIP_UNREACHABLE, CONFLICT
   */
  refer?(target: string, options?: ReferOptions): Promise<ReferOutcome>;
  /**
   * Asks the peer, by OPTIONS inside the dialog, whether the call is still there. False when it knows nothing of it (481,
   * 408) or does not answer; any other answer is a sign of life.
   */
  probe?(): Promise<boolean>;
  /** Ends the session from any state: CANCEL, final refusal or BYE, whichever fits. Idempotent. */
  end(reason?: string): void;
}
