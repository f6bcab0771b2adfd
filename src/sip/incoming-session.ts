import { AcceptedInvite } from './accepted-invite.ts';
import { sdpType, sessionDescription } from './body.ts';
import { allowedMethods, allowHeader } from './capabilities.ts';
import { Dialog } from './dialog.ts';
import { InviteSession } from './invite-session.ts';
import { headerValue, headerValues, type SipRequest } from './message.ts';
import { parseNameAddress, toSipAddress } from './name-address.ts';
import { buildResponse, type ResponseOptions } from './serializer.ts';
import type { SipAddress, SipHeader, SipRejection } from './session.ts';
import type { SessionContext } from './session-context.ts';
import { Repeater } from './timers.ts';
import type { InviteServerTransaction } from './transaction-invite-server.ts';
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
  protected readonly offerPending = 500;
  readonly #transaction: InviteServerTransaction;
  readonly #repeater: Repeater;
  /** `end` came before the ACK: RFC 3261 section 15 lets the callee send no BYE before it. */
  #endAfterAck: { reason: string | undefined } | undefined;

  constructor(context: SessionContext, transaction: InviteServerTransaction) {
    super(context);
    const { request, flow } = transaction;
    this.#transaction = transaction;
    this.#repeater = new Repeater(context.transactions.clock);
    this.flow = flow;
    this.dialog = Dialog.forServer(request, this.localTag);
    this.symmetric = isBehindNat(request);
    this.callId = request.callId;
    this.requestUri = request.uri;
    this.from = toSipAddress(request.from);
    this.to = toSipAddress(request.to);
    this.peer = flow.remote;
    this.headers = request.headers;
    this.offer = sessionDescription(request);
    transaction.user = { cancelled: (cancel) => this.#cancelled(cancel) };
  }

  provisional(status: number, sdp?: string): void {
    if (!this.#unanswered || status <= 100 || status >= 200) return;
    this.move('provisional');
    const response = this.#response(status, { headers: this.#dialogHeaders(), body: sdpBody(sdp) });
    this.#transaction.respond(response);
    this.#repeater.start(provisionalIntervalMs, provisionalIntervalMs, () =>
      this.#transaction.respond(response),
    );
  }

  accept(sdp: string): void {
    if (!this.#unanswered) return;
    this.#repeater.cancel();
    this.move('accept');
    const response = this.#response(200, { headers: this.#dialogHeaders(), body: sdpBody(sdp) });
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
  }

  protected remoteEnded(reason: string | undefined): void {
    // RFC 3261 section 15.1.2: a BYE to a pending INVITE has it answered with 487.
    if (this.#unanswered) this.#transaction.respond(this.#response(487, {}));
    this.release();
    this.finish({ cause: 'remote', reason });
  }

  get #unanswered(): boolean {
    return this.state === 'calling' || this.state === 'early';
  }

  #cancelled(cancel: SipRequest): void {
    if (!this.#unanswered) return;
    this.#refuse(this.#response(487, {}));
    this.finish({ cause: 'cancelled', status: 487, reason: headerValue(cancel, 'reason') });
  }

  #refuse(response: ReturnType<typeof buildResponse>): void {
    this.#transaction.respond(response);
    this.release();
  }

  #acknowledged(ack: SipRequest): void {
    if (this.state === 'ended') {
      this.sendBye(this.#endAfterAck?.reason);
      return;
    }
    this.move('establish');
    const answer = this.offer === undefined ? sessionDescription(ack) : undefined;
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
