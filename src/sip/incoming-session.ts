import { AcceptedInvite } from './accepted-invite.ts';
import { sdpType, sessionDescription } from './body.ts';
import { allowedMethods, allowHeader, supportedHeader } from './capabilities.ts';
import { Dialog } from './dialog.ts';
import { InviteSession } from './invite-session.ts';
import { headerValue, headerValues, type SipRequest } from './message.ts';
import { parseNameAddress, toSipAddress } from './name-address.ts';
import { ReliableProvisionals, requiresReliable } from './reliable-provisional.ts';
import { buildResponse, type ResponseOptions } from './serializer.ts';
import type { SipAddress, SipHeader, SipRejection, SipSession } from './session.ts';
import type { SessionContext } from './session-context.ts';
import { Repeater } from './timers.ts';
import type { InviteServerTransaction } from './transaction-invite-server.ts';
import type { ServerTransaction } from './transaction-layer.ts';
import type { Endpoint } from './transport.ts';

/** RFC 3261 section 13.3.1.1: a proxy gives up on a call that says nothing for three minutes. */
const provisionalIntervalMs = 60_000;

/** A call to us. */
export class IncomingSession extends InviteSession {
  readonly direction = 'incoming';
  readonly callId: string;
  readonly requestUri: string;
  readonly from: SipAddress;
  readonly to: SipAddress;
  readonly peer: Endpoint;
  readonly headers: readonly SipHeader[];
  readonly offer: string | undefined;
  readonly replacesSession: SipSession | undefined;
  /** Until the ACK: it would be kept, with the whole INVITE, as long as the call. */
  #invite: InviteServerTransaction | undefined;
  readonly #repeater: Repeater;
  /** Where the INVITE requires it (RFC 3262). */
  readonly #reliable: ReliableProvisionals | undefined;
  /** Our final answer, until what was sent reliably has arrived. */
  #acceptLater: { sdp: string } | undefined;
  /** `end` came before the ACK: RFC 3261 section 15 lets the callee send no BYE before it. */
  #endAfterAck: { reason: string | undefined } | undefined;

  /** @param replacesSession the call that this one is to take the place of */
  constructor(context: SessionContext, transaction: InviteServerTransaction, replacesSession?: SipSession) {
    super(context);
    this.replacesSession = replacesSession;
    const { request, flow } = transaction;
    this.#invite = transaction;
    this.#repeater = new Repeater(context.transactions.clock);
    this.way.flow = flow;
    this.dialog = Dialog.forServer(request, this.localTag);
    this.way.symmetric = isBehindNat(request);
    this.callId = request.callId;
    this.requestUri = request.uri;
    this.from = toSipAddress(request.from);
    this.to = toSipAddress(request.to);
    this.peer = flow.remote;
    this.headers = request.headers;
    this.offer = sessionDescription(request);
    this.learn(request);
    if (this.offer !== undefined) this.exchange.receiveOffer(this.offer);
    if (requiresReliable(request))
      this.#reliable = new ReliableProvisionals(context.transactions, request.cseq.sequence, {
        transmit: (response) => transaction.respond(response),
        gaveUp: () => this.#neverPracked(),
      });
    transaction.user = { cancelled: (cancel) => this.#cancelled(cancel) };
  }

  provisional(status: number, sdp?: string): void {
    if (!this.#unanswered || this.#acceptLater !== undefined || status <= 100 || status >= 200) return;
    this.move('provisional');
    this.#repeater.cancel();
    if (this.#reliable !== undefined) {
      this.#sendReliably(this.#reliable, status, sdp);
      return;
    }
    // RFC 3261 section 13.2.1: an offer of ours goes into a reliable response only.
    const preview = this.offer === undefined ? undefined : sdp;
    const response = this.#response(status, { headers: this.#dialogHeaders(), body: sdpBody(preview) });
    this.#transaction.respond(response);
    this.#repeater.start(provisionalIntervalMs, provisionalIntervalMs, () =>
      this.#transaction.respond(response),
    );
  }

  accept(sdp: string): void {
    if (!this.#unanswered || this.#acceptLater !== undefined) return;
    this.#repeater.cancel();
    // RFC 3262 section 3: no 2xx before the PRACK of a session description.
    if (this.#reliable?.holdsAnswer) {
      this.#acceptLater = { sdp };
      return;
    }
    const timer = this.changes.answerTimer(this.#transaction.request);
    if (timer.status !== undefined) {
      this.reject(timer);
      return;
    }
    this.#reliable?.close();
    this.move('accept');
    const headers = [...this.#dialogHeaders(), supportedHeader(), ...timer.headers];
    const response = this.#response(200, { headers, body: sdpBody(this.#answerIn2xx(sdp)) });
    this.changes.timerAgreed(timer.agreed);
    this.accepted = new AcceptedInvite(this.context.transactions, this.#transaction, response, {
      acknowledged: (ack) => this.#acknowledged(ack),
      timedOut: () => this.#neverAcknowledged(),
    });
  }

  reject(rejection: SipRejection & { headers?: SipHeader[] }): void {
    if (!this.#unanswered || rejection.status < 300) return;
    const { status, reason, headers } = rejection;
    this.#refuse(this.#response(status, { reason, headers }));
    this.finish({ cause: 'rejected', status, reason });
  }

  end(reason?: string): void {
    if (this.#unanswered) {
      this.#refuse(this.#response(480, {}));
      this.finish({ cause: 'local', status: 480, reason });
    } else if (this.state === 'accepted') {
      this.#endAfterAck = { reason };
      this.finish({ cause: 'local', reason });
    } else if (this.state === 'established') {
      this.finish({ cause: 'local', reason });
      this.abandon();
      this.sendBye(reason);
    }
  }

  override abandon(): void {
    super.abandon();
    this.#repeater.cancel();
    this.#reliable?.close();
  }

  protected remoteEnded(reason: string | undefined): void {
    // RFC 3261 section 15.1.2: a BYE to a pending INVITE has it answered with 487.
    if (this.#unanswered) this.#transaction.respond(this.#response(487, {}));
    this.release();
    this.finish({ cause: 'remote', reason });
  }

  get #transaction(): InviteServerTransaction {
    return this.#invite!;
  }

  get #unanswered(): boolean {
    return this.state === 'calling' || this.state === 'early';
  }

  #cancelled(cancel: SipRequest): void {
    if (!this.#unanswered) return;
    this.#refuse(this.#response(487, {}));
    this.finish({ cause: 'cancelled', status: 487, reason: headerValue(cancel, 'reason') });
  }

  protected override receivePrack(transaction: ServerTransaction, dialog: Dialog): void {
    const { request } = transaction;
    if (!this.#reliable?.acknowledge(request)) {
      this.respond(transaction, 481);
      return;
    }
    if (this.exchange.state === 'first-sent') {
      this.respond(transaction, 200);
      this.#answeredByPrack(sessionDescription(request));
    } else this.receiveOffer(transaction, dialog);
    this.offersSettled();
    const later = this.#acceptLater;
    if (later === undefined || this.#reliable.holdsAnswer || !this.#unanswered) return;
    this.#acceptLater = undefined;
    this.accept(later.sdp);
  }

  /** RFC 3262 section 5: in a PRACK, the answer to an offer of ours. Without it the 2xx offers once more. */
  #answeredByPrack(answer: string | undefined): void {
    if (answer === undefined) {
      this.exchange.refuse();
      return;
    }
    this.exchange.receiveAnswer(answer);
    this.notify(() => this.handlers.answered?.(answer));
  }

  #sendReliably(reliable: ReliableProvisionals, status: number, sdp: string | undefined): void {
    // RFC 3261 section 13.2.1: there is one answer to the INVITE; what is said of it later must be the same.
    const news = sdp !== undefined && this.exchange.state !== 'agreed' ? sdp : undefined;
    if (news !== undefined) this.#offerOrAnswer(news);
    reliable.send(
      (headers) =>
        this.#response(status, { headers: [...headers, ...this.#dialogHeaders()], body: sdpBody(news) }),
      news !== undefined,
    );
  }

  /** The session description of a reliable response: the answer, or an offer where the INVITE had none. */
  #offerOrAnswer(sdp: string): void {
    if (this.exchange.state === 'first-received') this.exchange.sendAnswer(sdp);
    else if (this.exchange.state === 'none') this.exchange.sendOffer(sdp);
  }

  /** Nothing where a later exchange has replaced what was agreed (RFC 6337 section 3.1). */
  #answerIn2xx(sdp: string): string | undefined {
    if (this.exchange.agreed)
      return this.offer !== undefined && sdp === this.exchange.local ? sdp : undefined;
    this.#offerOrAnswer(sdp);
    return sdp;
  }

  /** RFC 3262 section 3: no PRACK for 64*T1. */
  #neverPracked(): void {
    if (!this.#unanswered) return;
    this.#refuse(this.#response(504, {}));
    this.finish({ cause: 'timeout', status: 504, reason: 'no PRACK' });
  }

  #refuse(response: ReturnType<typeof buildResponse>): void {
    this.#transaction.respond(response);
    this.release();
  }

  #acknowledged(ack: SipRequest | undefined): void {
    this.#invite = undefined;
    if (this.state === 'ended') {
      this.sendBye(this.#endAfterAck?.reason);
      return;
    }
    const answer = this.exchange.sent && ack !== undefined ? sessionDescription(ack) : undefined;
    if (this.exchange.sent && answer === undefined) {
      this.finish({ cause: 'error', reason: 'the ACK carries no answer' });
      this.sendBye('no answer in the ACK');
      return;
    }
    if (answer !== undefined) this.exchange.receiveAnswer(answer);
    this.move('establish');
    if (answer !== undefined) this.notify(() => this.handlers.answered?.(answer));
    this.notify(() => this.handlers.established?.());
  }

  /** RFC 3261 section 13.3.1.4. */
  #neverAcknowledged(): void {
    this.accepted = undefined;
    this.finish({ cause: 'timeout', reason: 'no ACK to the 200' });
    this.sendBye('no ACK');
  }

  #dialogHeaders(): SipHeader[] {
    const { request, flow } = this.#transaction;
    // RFC 3261 section 12.1.1: the response carries the route that the dialog keeps to.
    const route = request.headers.filter(({ key }) => key === 'record-route');
    return [
      ...route.map(({ value }) => ({ name: 'Record-Route', value })),
      this.contactHeader(flow),
      allowHeader(allowedMethods),
    ];
  }

  #response(status: number, options: ResponseOptions): ReturnType<typeof buildResponse> {
    return buildResponse(this.#transaction.request, status, { toTag: this.localTag, ...options });
  }
}

/** The sender's own Via and Contact name an address that it did not send from. */
function isBehindNat(request: SipRequest): boolean {
  const { via } = request;
  const received = via.parameters.get('received');
  if (received === undefined || received === via.host) return false;
  const [contact] = headerValues(request, 'contact');
  return contact !== undefined && parseNameAddress(contact)?.sipUri?.host === via.host;
}

function sdpBody(sdp: string | undefined): ResponseOptions['body'] {
  return sdp === undefined ? undefined : { contentType: sdpType, content: sdp };
}
