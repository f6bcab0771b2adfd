import { randomInt } from 'node:crypto';
import { newId } from '../ids.ts';
import { nextState, type TransitionTable } from '../state-machine.ts';
import { AcceptedInvite } from './accepted-invite.ts';
import { acceptedTypes, mediaType, sdpType, sessionDescription } from './body.ts';
import { allowedMethods, allowHeader, capabilityHeaders } from './capabilities.ts';
import type { Dialog } from './dialog.ts';
import { answerChallenge, type ClientCredentials } from './digest-client.ts';
import { bodyText, headerValue, type SipRequest, type SipResponse } from './message.ts';
import { tagOf } from './name-address.ts';
import { numericEndpoint } from './resolve.ts';
import { quote } from './scan.ts';
import { buildResponse, type RequestDraft, type ResponseOptions } from './serializer.ts';
import type {
  OfferAnswer,
  SipAddress,
  SipEnd,
  SipHeader,
  SipRejection,
  SipSession,
  SipSessionHandlers,
} from './session.ts';
import type { SessionContext } from './session-context.ts';
import type { ClientTransactionUser } from './transaction.ts';
import { InviteServerTransaction } from './transaction-invite-server.ts';
import type { ServerTransaction } from './transaction-layer.ts';
import type { Endpoint, Flow } from './transport.ts';

type SessionState = SipSession['state'];
type SessionEvent = 'provisional' | 'accept' | 'establish' | 'end';

/** RFC 3261 sections 13 to 15, as call control sees them. */
export const sessionTable: TransitionTable<SessionState, SessionEvent> = {
  calling: { provisional: 'early', accept: 'accepted', end: 'ended' },
  early: { provisional: 'early', accept: 'accepted', end: 'ended' },
  accepted: { establish: 'established', end: 'ended' },
  established: { end: 'ended' },
  ended: {},
};

/** What both directions share: identity, the one end, and the requests inside the dialog. */
export abstract class InviteSession implements SipSession {
  readonly id = newId();
  readonly localTag = newId();
  handlers: SipSessionHandlers = { ended: () => {} };
  abstract readonly callId: string;
  abstract readonly direction: 'incoming' | 'outgoing';
  abstract readonly requestUri: string;
  abstract readonly from: SipAddress;
  abstract readonly to: SipAddress;
  abstract readonly peer: Endpoint;
  abstract readonly headers: readonly SipHeader[];
  abstract readonly offer: string | undefined;
  protected readonly context: SessionContext;
  protected dialog: Dialog | undefined;
  /** The flow of the INVITE: in-dialog requests use its connection, and its address when nothing better is known. */
  protected flow: Flow | undefined;
  protected credentials: ClientCredentials | undefined;
  /** The peer's Contact cannot be reached from here: its requests go where the INVITE came from or went to. */
  protected symmetric = false;
  /** Our 2xx that waits for its ACK. */
  protected accepted: AcceptedInvite | undefined;
  /** The peer's offer that call control has not answered yet. */
  #openOffer: ServerTransaction | undefined;
  #state: SessionState = 'calling';

  constructor(context: SessionContext) {
    this.context = context;
  }

  get state(): SessionState {
    return this.#state;
  }

  abstract provisional(status: number, sdp?: string): void;
  abstract accept(sdp: string): void;
  abstract reject(rejection: SipRejection & { headers?: SipHeader[] }): void;
  abstract end(reason?: string): void;
  /** The peer's BYE, already answered. */
  protected abstract remoteEnded(reason: string | undefined): void;
  /** Why an offer cannot be taken before the first INVITE is settled (RFC 3261 section 14.2, RFC 3311 section 5.2). */
  protected abstract readonly offerPending: 491 | 500;

  /** Stops every timer of the session; nothing of it happens by itself any more. */
  abandon(): void {
    this.accepted?.stop();
    this.accepted = undefined;
  }

  protected release(): void {
    this.abandon();
    this.context.release(this);
  }

  protected move(event: SessionEvent): void {
    this.#state = nextState('session', sessionTable, this.#state, event) ?? this.#state;
  }

  /** Reports the end, once. */
  protected finish(end: SipEnd): void {
    if (this.#state === 'ended') return;
    this.move('end');
    const openOffer = this.#openOffer;
    this.#openOffer = undefined;
    // RFC 3261 section 15.1.2: what is still pending in the dialog is answered with 487.
    if (openOffer !== undefined) this.respond(openOffer, 487);
    this.notify(() => this.handlers.ended(end));
  }

  /** Nothing call control throws may reach the receive path. */
  protected notify<Result>(call: () => Result): Result | undefined {
    try {
      return call();
    } catch (error) {
      this.context.log('error', 'a SIP session handler threw', { callId: this.callId, error });
      return undefined;
    }
  }

  /** The dialog a request of the peer belongs to. */
  dialogOf(request: SipRequest): Dialog | undefined {
    const dialog = this.dialog;
    if (dialog === undefined || request.callId !== this.callId) return undefined;
    return dialog.remoteTag === (tagOf(request.from) ?? '') ? dialog : undefined;
  }

  /** A request inside the dialog; the methods were checked before. */
  receive(transaction: ServerTransaction, dialog: Dialog): void {
    const { request } = transaction;
    if (this.#state === 'ended' && request.method !== 'BYE') {
      this.respond(transaction, 481);
      return;
    }
    if (!dialog.inOrder(request)) {
      this.respond(transaction, 500, { reason: 'CSeq Out Of Order' });
      return;
    }
    switch (request.method) {
      case 'BYE':
        this.respond(transaction, 200);
        this.remoteEnded(headerValue(request, 'reason'));
        return;
      case 'INVITE':
      case 'UPDATE':
        this.#receiveOffer(transaction, dialog);
        return;
      case 'INFO':
        this.respond(transaction, 200);
        this.notify(() =>
          this.handlers.info?.(headerValue(request, 'content-type') ?? '', bodyText(request)),
        );
        return;
      case 'OPTIONS':
        this.respond(transaction, 200, { headers: capabilityHeaders(allowedMethods) });
        return;
      default:
        this.respond(transaction, 405, { headers: [allowHeader(allowedMethods)] });
        return;
    }
  }

  receiveAck(request: SipRequest): void {
    if (this.accepted?.acknowledge(request)) this.accepted = undefined;
  }

  protected respond(transaction: ServerTransaction, status: number, options: ResponseOptions = {}): void {
    transaction.respond(buildResponse(transaction.request, status, { toTag: this.localTag, ...options }));
  }

  /** A request of ours inside the dialog; a challenge is answered where there are credentials. */
  protected send(
    draft: RequestDraft,
    dialog: Dialog,
    done: (response: SipResponse | undefined) => void,
  ): void {
    const flow = this.route(dialog);
    if (flow === undefined) {
      done(undefined);
      return;
    }
    const user: ClientTransactionUser = {
      response: (response) => {
        if (response.status < 200) return;
        const answer = answerChallenge(response, draft, this.credentials);
        const already = draft.headers.some(({ name }) => name === answer?.name);
        if (answer === undefined || already) return done(response);
        this.send(dialog.draft(draft.method, { headers: [answer], body: draft.body }), dialog, done);
      },
      failed: () => done(undefined),
    };
    this.context.request(draft, flow, user);
  }

  /** BYE, then out of the table. */
  protected sendBye(reason: string | undefined, dialog: Dialog | undefined = this.dialog): void {
    if (dialog === undefined) {
      this.release();
      return;
    }
    // RFC 3326; 16 is "normal call clearing".
    const headers = reason ? [{ name: 'Reason', value: `Q.850;cause=16;text=${quote(reason)}` }] : [];
    this.send(dialog.draft('BYE', { headers }), dialog, () => this.release());
  }

  /** RFC 3261 section 12.2.1.1, except that an open connection of the call and the way through a NAT are kept to. */
  protected route(dialog: Dialog): Flow | undefined {
    const flow = this.flow;
    if (flow?.reliable && flow.open) return flow;
    if (flow !== undefined && this.symmetric && !dialog.routed) return this.context.flowTo(flow.remote);
    const target = numericEndpoint(dialog.nextHop);
    const found = target === undefined ? undefined : this.context.flowTo(target);
    // A name we cannot resolve, or a transport we do not speak: back where the call came from.
    return found ?? (flow && this.context.flowTo(flow.remote));
  }

  /** re-INVITE (section 14.2) and UPDATE (RFC 3311 section 5.2). */
  #receiveOffer(transaction: ServerTransaction, dialog: Dialog): void {
    const { request } = transaction;
    const offer = sessionDescription(request);
    const refresh = request.method === 'UPDATE' && offer === undefined;
    if (mediaType(request) !== undefined && offer === undefined) {
      this.respond(transaction, 415, { headers: [{ name: 'Accept', value: acceptedTypes }] });
      return;
    }
    const pending = refresh ? undefined : this.#pendingStatus();
    if (pending === 500) {
      const headers = [{ name: 'Retry-After', value: String(randomInt(0, 11)) }];
      this.respond(transaction, 500, { headers });
      return;
    }
    if (pending === 491) {
      this.respond(transaction, 491);
      return;
    }
    dialog.refreshTarget(request);
    const answer = refresh ? '' : this.#answerTo(offer);
    if (answer instanceof Promise) void this.#answerLater(transaction, answer, offer === undefined);
    else this.#answerOffer(transaction, answer, offer === undefined);
  }

  #pendingStatus(): 491 | 500 | undefined {
    if (this.#openOffer !== undefined) return 500;
    if (this.accepted !== undefined) return 491;
    return this.#state === 'calling' || this.#state === 'early' ? this.offerPending : undefined;
  }

  #answerTo(offer: string | undefined): OfferAnswer | Promise<OfferAnswer> {
    if (this.handlers.reoffered === undefined) return { status: 488 };
    return this.notify(() => this.handlers.reoffered?.(offer)) ?? { status: 500 };
  }

  /** A CANCEL changes nothing: what was offered is on its way into force, and its answer follows at once. */
  async #answerLater(
    transaction: ServerTransaction,
    promised: Promise<OfferAnswer>,
    answerFollows: boolean,
  ): Promise<void> {
    this.#openOffer = transaction;
    if (transaction instanceof InviteServerTransaction) this.respond(transaction, 100);
    let answer: OfferAnswer;
    try {
      answer = await promised;
    } catch (error) {
      this.context.log('error', 'an offer could not be answered', { callId: this.callId, error });
      answer = { status: 500 };
    }
    // Refused already where the session ended meanwhile.
    if (this.#openOffer !== transaction) return;
    this.#openOffer = undefined;
    this.notify(() => this.#answerOffer(transaction, answer, answerFollows));
  }

  #answerOffer(transaction: ServerTransaction, answer: OfferAnswer, answerFollows: boolean): void {
    if (typeof answer === 'string') this.#acceptOffer(transaction, answer, answerFollows);
    else this.respond(transaction, answer.status, { reason: answer.reason });
  }

  #acceptOffer(transaction: ServerTransaction, sdp: string, answerFollows: boolean): void {
    const body = sdp === '' ? undefined : { contentType: sdpType, content: sdp };
    const headers = [this.contactHeader(transaction.flow), allowHeader(allowedMethods)];
    if (!(transaction instanceof InviteServerTransaction)) {
      this.respond(transaction, 200, { headers, body });
      return;
    }
    const response = buildResponse(transaction.request, 200, { toTag: this.localTag, headers, body });
    this.accepted = new AcceptedInvite(this.context.transactions, transaction, response, {
      acknowledged: (ack) => {
        const answer = sessionDescription(ack);
        if (answerFollows && answer !== undefined) this.notify(() => this.handlers.answered?.(answer));
      },
      timedOut: () => {
        this.accepted = undefined;
        if (this.#state === 'ended') return;
        this.finish({ cause: 'timeout', reason: 'no ACK to the 200 of a re-INVITE' });
        this.sendBye('no ACK');
      },
    });
  }

  protected contactHeader(flow: Flow): SipHeader {
    return { name: 'Contact', value: this.context.contact(flow) };
  }
}
