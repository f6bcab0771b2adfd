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

/** An SDP text, or why there is none. */
export type OfferAnswer = string | SipRejection;

export interface SipSessionHandlers {
  /** Outgoing: a provisional answer, with SDP when it carries early media. */
  progress?(status: number, sdp: string | undefined): void;
  /**
   * The peer's answer to our offer. Outgoing: with the 2xx; the ACK is sent by the stack. Incoming: with the ACK,
   * where the INVITE or re-INVITE came without an offer and we made one.
   */
  answered?(sdp: string): void;
  /** Incoming: the ACK came. Outgoing: right after `answered`. */
  established?(): void;
  /**
   * re-INVITE or UPDATE with an offer (undefined: an offerless re-INVITE, give an offer). Gives the answer, which is
   * sent when it is there; other offers are refused meanwhile. One that comes after the end is dropped.
   */
  reoffered?(sdp: string | undefined): OfferAnswer | Promise<OfferAnswer>;
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
  readonly peer: { transport: 'udp' | 'tcp'; address: string; port: number };
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
   * Established: sends a re-INVITE with this offer. Gives the peer's answer.
   * @throws CallreelError SIP_REFUSED with the status in `where`; the session goes on as before
   */
  reoffer?(sdp: string): Promise<string>;
  /** Ends the session from any state: CANCEL, final refusal or BYE, whichever fits. Idempotent. */
  end(reason?: string): void;
}
