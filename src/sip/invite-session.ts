import { CallreelError } from '../errors.ts';
import { newId } from '../ids.ts';
import { nextState, type TransitionTable } from '../state-machine.ts';
import { AcceptedInvite } from './accepted-invite.ts';
import { allowedMethods, allowHeader, capabilityHeaders } from './capabilities.ts';
import type { Dialog } from './dialog.ts';
import type { ClientCredentials } from './digest-client.ts';
import { requestInDialog } from './in-dialog-request.ts';
import { numericEndpoint } from './locate.ts';
import {
  bodyText,
  headerValue,
  headerValues,
  type SipMessage,
  type SipRequest,
  type SipResponse,
} from './message.ts';
import { tagOf } from './name-address.ts';
import { OfferExchange } from './offer-exchange.ts';
import { PeerOffers } from './peer-offers.ts';
import { ReferUsage } from './refer-usage.ts';
import { quote } from './scan.ts';
import { buildResponse, type RequestDraft, type ResponseOptions } from './serializer.ts';
import type {
  ReferOptions,
  ReferOutcome,
  SipAddress,
  SipEnd,
  SipHeader,
  SipReferral,
  SipRejection,
  SipSession,
  SipSessionHandlers,
} from './session.ts';
import { SessionChanges } from './session-changes.ts';
import type { SessionContext } from './session-context.ts';
import type { InviteServerTransaction } from './transaction-invite-server.ts';
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

/** RFC 3326; Q.850 cause 16 is "normal call clearing". */
const normalClearing = 'Q.850;cause=16';
const timedOut = 'SIP;cause=408';

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
  protected readonly exchange = new OfferExchange();
  protected readonly changes: SessionChanges;
  readonly #peerOffers: PeerOffers;
  /** Methods of the peer's last Allow; undefined while it never said. */
  #peerAllows: ReadonlySet<string> | undefined;
  readonly #refers: ReferUsage;
  #state: SessionState = 'calling';

  constructor(context: SessionContext) {
    this.context = context;
    this.changes = new SessionChanges({
      context,
      exchange: this.exchange,
      direction: () => this.direction,
      state: () => this.state,
      handlers: () => this.handlers,
      allowsUpdate: () => this.allowsUpdate,
      peerInvites: () => this.#peerOffers.inviting || this.accepted !== undefined,
      dialog: () => this.currentDialog,
      route: (dialog) => this.route(dialog),
      send: (draft, dialog, done) => this.send(draft, dialog, done),
      contactHeader: (flow) => this.contactHeader(flow),
      learn: (message) => this.learn(message),
      notify: (call) => this.notify(call),
      lost: (reason) => this.#lost(reason),
    });
    this.#peerOffers = new PeerOffers({
      callId: () => this.callId,
      handlers: () => this.handlers,
      log: context.log,
      exchange: this.exchange,
      inviteRefusal: () => this.#inviteRefusal(),
      answerTimer: (request) => (this.#unanswered ? undefined : this.changes.answerTimer(request)),
      timerAgreed: ({ agreed }) => this.changes.timerAgreed(agreed),
      contactHeader: (flow) => this.contactHeader(flow),
      respond: (transaction, status, options) => this.respond(transaction, status, options),
      acceptInvite: (transaction, options, done) => this.#acceptReinvite(transaction, options, done),
      notify: (call) => this.notify(call),
      settled: () => this.changes.poke(),
    });
    this.#refers = new ReferUsage({
      context,
      dialog: () => this.dialog,
      route: (dialog) => this.route(dialog),
      respond: (transaction, status, options) => this.respond(transaction, status, options),
      send: (draft, dialog, done) => this.send(draft, dialog, done),
      referred: (referral) => this.#referred(referral),
    });
  }

  get dialogId(): SipSession['dialogId'] {
    const { callId, localTag, dialog } = this;
    return dialog && { callId, localTag, remoteTag: dialog.remoteTag };
  }

  /** Whether a dialog of this call is with the peer of this tag. */
  isWith(remoteTag: string): boolean {
    return this.dialog?.remoteTag === remoteTag;
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

  get allowsUpdate(): boolean {
    return this.#peerAllows?.has('UPDATE') === true;
  }

  reoffer(sdp: string): Promise<string> {
    return this.changes.offer('INVITE', sdp);
  }

  update(sdp: string): Promise<string> {
    return this.changes.offer('UPDATE', sdp);
  }

  /** Stops every timer of the session; nothing of it happens by itself any more. */
  abandon(): void {
    this.accepted?.stop();
    this.accepted = undefined;
    this.changes.close();
  }

  protected release(): void {
    this.abandon();
    this.context.release(this);
  }

  protected move(event: SessionEvent): void {
    this.#state = nextState('session', sessionTable, this.#state, event) ?? this.#state;
    if (event === 'establish') this.offersSettled();
  }

  /** Reports the end, once. */
  protected finish(end: SipEnd): void {
    if (this.#state === 'ended') return;
    this.move('end');
    this.changes.close();
    this.#peerOffers.abandon();
    this.#refers.close();
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
    this.learn(request);
    switch (request.method) {
      case 'BYE':
        this.respond(transaction, 200);
        this.remoteEnded(headerValue(request, 'reason'));
        return;
      case 'INVITE':
      case 'UPDATE':
        this.receiveOffer(transaction, dialog);
        return;
      case 'PRACK':
        this.receivePrack(transaction, dialog);
        return;
      case 'INFO':
        this.respond(transaction, 200);
        this.notify(() =>
          this.handlers.info?.(headerValue(request, 'content-type') ?? '', bodyText(request)),
        );
        return;
      case 'REFER':
        this.#refers.receiveRefer(transaction);
        return;
      case 'NOTIFY':
        this.#refers.receiveNotify(transaction);
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
    this.changes.poke();
  }

  /** RFC 3262 section 3: a PRACK that acknowledges nothing. */
  protected receivePrack(transaction: ServerTransaction, _dialog: Dialog): void {
    this.respond(transaction, 481);
  }

  protected receiveOffer(transaction: ServerTransaction, dialog: Dialog): void {
    this.#peerOffers.receive(transaction, dialog);
  }

  /** Whatever the peer says about itself. */
  protected learn(message: SipMessage): void {
    if (headerValue(message, 'allow') === undefined) return;
    this.#peerAllows = new Set(headerValues(message, 'allow').map((method) => method.toUpperCase()));
  }

  /** Something that kept a re-INVITE or an UPDATE of ours waiting may be over. */
  protected offersSettled(): void {
    this.changes.poke();
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
    const { context, credentials } = this;
    requestInDialog({ context, credentials, dialog, flow: () => this.route(dialog) }, draft, done);
  }

  /** BYE, then out of the table. */
  protected sendBye(
    reason: string | undefined,
    dialog: Dialog | undefined = this.dialog,
    cause = normalClearing,
  ): void {
    if (dialog === undefined) {
      this.release();
      return;
    }
    const headers = reason ? [{ name: 'Reason', value: `${cause};text=${quote(reason)}` }] : [];
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

  protected contactHeader(flow: Flow): SipHeader {
    return { name: 'Contact', value: this.context.contact(flow) };
  }

  get #unanswered(): boolean {
    return this.#state === 'calling' || this.#state === 'early';
  }

  /** The dialog our re-INVITE or UPDATE would go into. */
  protected get currentDialog(): Dialog | undefined {
    return this.dialog;
  }

  /** RFC 3261 section 14.2. */
  #inviteRefusal(): 491 | 500 | undefined {
    if (this.changes.inviting) return 491;
    if (this.#peerOffers.inviting) return 500;
    if (this.#unanswered) return this.direction === 'outgoing' ? 491 : 500;
    if (this.accepted === undefined) return undefined;
    // RFC 5407 section 3.1.4: it shows that the 2xx arrived, and that only its ACK was lost.
    if (!this.exchange.agreed) return 491;
    const { accepted } = this;
    this.accepted = undefined;
    accepted.implyAck();
    return undefined;
  }

  #lost(reason: string): void {
    if (this.#state === 'ended') return;
    this.finish({ cause: 'timeout', reason });
    this.abandon();
    this.sendBye(reason, this.dialog, timedOut);
  }

  #acceptReinvite(
    transaction: InviteServerTransaction,
    options: ResponseOptions,
    acknowledged: (ack: SipRequest | undefined) => void,
  ): void {
    const response = buildResponse(transaction.request, 200, { toTag: this.localTag, ...options });
    this.accepted = new AcceptedInvite(this.context.transactions, transaction, response, {
      acknowledged,
      timedOut: () => {
        this.accepted = undefined;
        this.#lost('no ACK to the 200 of a re-INVITE');
      },
    });
  }

  /** @throws CallreelError CONFLICT, SIP_REFUSED, SIP_UNREACHABLE */
  async refer(target: string, options: ReferOptions = {}): Promise<ReferOutcome> {
    if (this.#state !== 'established')
      throw new CallreelError('CONFLICT', 'only an established call can be transferred');
    return this.#refers.refer(target, options);
  }

  /** RFC 3261 section 11, and 12.2.1.2 for what the answer says about the dialog. */
  probe(): Promise<boolean> {
    const { dialog } = this;
    if (this.#state !== 'established' || dialog === undefined) return Promise.resolve(true);
    return new Promise((resolve) =>
      this.send(dialog.draft('OPTIONS'), dialog, (response) =>
        resolve(response !== undefined && response.status !== 481 && response.status !== 408),
      ),
    );
  }

  #referred(referral: SipReferral): boolean {
    if (this.#state !== 'established' || this.handlers.referred === undefined) return false;
    this.notify(() => this.handlers.referred?.(referral));
    return true;
  }
}
