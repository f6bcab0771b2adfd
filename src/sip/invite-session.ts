import { CallreelError } from '../errors.ts';
import { newId } from '../ids.ts';
import { nextState } from '../state-machine.ts';
import { AcceptedInvite } from './accepted-invite.ts';
import { probeDialog, sendBye } from './bye.ts';
import type { Dialog } from './dialog.ts';
import { DialogRoute } from './dialog-route.ts';
import { type InDialogServer, serveInDialog } from './in-dialog-server.ts';
import { headerValue, headerValues, type SipMessage, type SipRequest } from './message.ts';
import { tagOf } from './name-address.ts';
import { OfferExchange } from './offer-exchange.ts';
import { PeerOffers } from './peer-offers.ts';
import { ReferUsage } from './refer-usage.ts';
import { buildResponse, type ResponseOptions } from './serializer.ts';
import type {
  ReferOptions,
  ReferOutcome,
  SipAddress,
  SipEnd,
  SipHeader,
  SipRejection,
  SipSession,
  SipSessionHandlers,
} from './session.ts';
import { SessionChanges, type SessionChangeUser } from './session-changes.ts';
import type { SessionContext } from './session-context.ts';
import { type SessionEvent, type SessionState, sessionTable } from './session-table.ts';
import type { InviteServerTransaction } from './transaction-invite-server.ts';
import type { ServerTransaction } from './transaction-layer.ts';
import type { Endpoint, Flow } from './transport.ts';

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
  protected readonly way: DialogRoute;
  /** Our 2xx that waits for its ACK. */
  protected accepted: AcceptedInvite | undefined;
  protected readonly exchange = new OfferExchange();
  protected readonly changes: SessionChanges;
  /** Most calls have none of these two; of hundreds of calls they would be much. */
  #peerOffers: PeerOffers | undefined;
  #refers: ReferUsage | undefined;
  /** The peer's last Allow names it. */
  #allowsUpdate = false;
  #state: SessionState = 'calling';

  constructor(context: SessionContext) {
    this.context = context;
    this.way = new DialogRoute(context);
    this.changes = new SessionChanges(context, () => this.#changeUser());
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
    return this.#allowsUpdate;
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
    this.#peerOffers?.abandon();
    this.#refers?.close();
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
    serveInDialog(this.#inDialogServer(), transaction, dialog);
  }

  #changeUser(): SessionChangeUser {
    return {
      exchange: this.exchange,
      direction: () => this.direction,
      state: () => this.state,
      handlers: () => this.handlers,
      allowsUpdate: () => this.allowsUpdate,
      peerInvites: () => this.#peerInvites || this.accepted !== undefined,
      dialog: () => this.currentDialog,
      route: (dialog) => this.way.known(dialog),
      send: (draft, dialog, done) => this.way.send(draft, dialog, done),
      contactHeader: (flow) => this.contactHeader(flow),
      learn: (message) => this.learn(message),
      notify: (call) => this.notify(call),
      lost: (reason) => this.#lost(reason),
    };
  }

  get #peerInvites(): boolean {
    return this.#peerOffers?.inviting ?? false;
  }

  #newPeerOffers(): PeerOffers {
    return new PeerOffers({
      callId: () => this.callId,
      handlers: () => this.handlers,
      log: this.context.log,
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
  }

  get #referUsage(): ReferUsage {
    this.#refers ??= new ReferUsage({
      context: this.context,
      dialog: () => this.dialog,
      route: (dialog) => this.way.known(dialog),
      respond: (transaction, status, options) => this.respond(transaction, status, options),
      send: (draft, dialog, done) => this.way.send(draft, dialog, done),
      referred: (referral) => {
        if (this.#state !== 'established' || this.handlers.referred === undefined) return false;
        this.notify(() => this.handlers.referred?.(referral));
        return true;
      },
    });
    return this.#refers;
  }

  #inDialogServer(): InDialogServer {
    return {
      state: () => this.#state,
      respond: (transaction, status, options) => this.respond(transaction, status, options),
      learn: (request) => this.learn(request),
      ended: (reason) => this.remoteEnded(reason),
      offered: (transaction, dialog) => this.receiveOffer(transaction, dialog),
      pracked: (transaction, dialog) => this.receivePrack(transaction, dialog),
      info: (contentType, body) => this.notify(() => this.handlers.info?.(contentType, body)),
      referred: (transaction) => this.#referUsage.receiveRefer(transaction),
      notified: (transaction) => this.#referUsage.receiveNotify(transaction),
    };
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
    this.#peerOffers ??= this.#newPeerOffers();
    this.#peerOffers.receive(transaction, dialog);
  }

  /** Whatever the peer says about itself. */
  protected learn(message: SipMessage): void {
    if (headerValue(message, 'allow') === undefined) return;
    this.#allowsUpdate = headerValues(message, 'allow').some((method) => method.toUpperCase() === 'UPDATE');
  }

  /** Something that kept a re-INVITE or an UPDATE of ours waiting may be over. */
  protected offersSettled(): void {
    this.changes.poke();
  }

  protected respond(transaction: ServerTransaction, status: number, options: ResponseOptions = {}): void {
    transaction.respond(buildResponse(transaction.request, status, { toTag: this.localTag, ...options }));
  }

  /** BYE, then out of the table. */
  protected sendBye(reason: string | undefined, dialog = this.dialog, cause?: 'timeout'): void {
    if (dialog === undefined) this.release();
    else sendBye(this.way, dialog, { reason, cause }, () => this.release());
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
    if (this.#peerInvites) return 500;
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
    this.sendBye(reason, this.dialog, 'timeout');
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
    return this.#referUsage.refer(target, options);
  }

  probe(): Promise<boolean> {
    const { dialog } = this;
    const established = this.#state === 'established' && dialog !== undefined;
    return established ? probeDialog(this.way, dialog) : Promise.resolve(true);
  }
}
