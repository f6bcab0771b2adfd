import type { Clock } from '../clock.ts';
import { CallreelError } from '../errors.ts';
import { sdpType, sessionDescription } from './body.ts';
import { allowedMethods, allowHeader, supportedHeader } from './capabilities.ts';
import type { Dialog } from './dialog.ts';
import type { SipMessage, SipRequest, SipResponse } from './message.ts';
import type { OfferExchange } from './offer-exchange.ts';
import type { RequestDraft } from './serializer.ts';
import type { SipHeader, SipSession, SipSessionHandlers } from './session.ts';
import type { SessionContext } from './session-context.ts';
import type { AgreedTimer, TimerAnswer, TimerRefusal } from './session-expires.ts';
import { type Modification, SessionModification } from './session-modification.ts';
import { SessionRefresh, type SessionRefreshUser } from './session-refresh.ts';
import type { Flow } from './transport.ts';

/** What the session does for it. */
export interface SessionChangeUser {
  readonly exchange: OfferExchange;
  direction(): SipSession['direction'];
  state(): SipSession['state'];
  handlers(): SipSessionHandlers;
  allowsUpdate(): boolean;
  /** An INVITE of the peer waits for its final response or its ACK. */
  peerInvites(): boolean;
  dialog(): Dialog | undefined;
  route(dialog: Dialog): Flow | undefined;
  send(draft: RequestDraft, dialog: Dialog, done: (response: SipResponse | undefined) => void): void;
  contactHeader(flow: Flow): SipHeader;
  learn(message: SipMessage): void;
  notify(call: () => void): void;
  /** There is nobody any more to go on with. */
  lost(reason: string): void;
}

/** What we change or refresh in a session: re-INVITE and UPDATE, asked for by call control or by the session timer. */
export class SessionChanges implements SessionRefreshUser {
  readonly #makeUser: () => SessionChangeUser;
  /** Made when it is wanted. */
  #madeUser: SessionChangeUser | undefined;
  readonly #clock: Clock;
  /** Most calls are never changed. */
  #modification: SessionModification | undefined;
  #isClosed = false;
  readonly #refresh: SessionRefresh;

  /** @param makeUser called once, when something is to be changed: of hundreds of calls it would be much */
  constructor(context: SessionContext, makeUser: () => SessionChangeUser) {
    this.#makeUser = makeUser;
    this.#clock = context.transactions.clock;
    this.#refresh = new SessionRefresh(this.#clock, context.sessionTimer, this);
  }

  get #user(): SessionChangeUser {
    this.#madeUser ??= this.#makeUser();
    return this.#madeUser;
  }

  allowsUpdate(): boolean {
    return this.#user.allowsUpdate();
  }

  expired(): void {
    this.#user.lost('session timer expired');
  }

  /** A re-INVITE of ours waits for its final response. */
  get inviting(): boolean {
    return this.#modification?.inviting ?? false;
  }

  /**
   * @returns the peer's answer
   * @throws CallreelError SIP_REFUSED with the status in `where`
   */
  async offer(method: Modification['method'], sdp: string): Promise<string> {
    const response = await this.modify({ method, sdp });
    const answer = sessionDescription(response);
    if (answer !== undefined) return answer;
    throw new CallreelError('SIP_REFUSED', 'the 2xx answers nothing', { where: String(response.status) });
  }

  /** Something that kept a change waiting may be over. */
  poke(): void {
    this.#modification?.poke();
  }

  /** The timer headers of an INVITE of ours. */
  timerHeaders(): SipHeader[] {
    return this.#refresh.requestHeaders();
  }

  /** What a request of the peer says about the timer is answered with. */
  answerTimer(request: SipRequest): TimerAnswer | TimerRefusal {
    return this.#refresh.answer(request);
  }

  /** Our 2xx with that answer is on its way. */
  timerAgreed(agreed: AgreedTimer): void {
    this.#refresh.agree(agreed);
  }

  /** The 2xx to our first INVITE. */
  timerAnswered(response: SipResponse): void {
    this.#refresh.answered(response);
  }

  /** @returns whether a request that was answered so may be sent again with the `timerHeaders` it has now */
  raiseTimer(response: SipResponse): boolean {
    return this.#refresh.raise(response);
  }

  close(): void {
    this.#refresh.stop();
    this.#isClosed = true;
    this.#modification?.close();
  }

  modify(modification: Modification): Promise<SipResponse> {
    this.#modification ??= this.#newModification();
    return this.#modification.request(modification);
  }

  #newModification(): SessionModification {
    const user = this.#user;
    const made = new SessionModification({
      clock: this.#clock,
      ownsCallId: () => user.direction() === 'outgoing',
      isClear: (modification) => this.#isClear(modification),
      send: (modification, done) => this.#send(modification, done),
      lost: (status, reason) => user.lost(`${status} ${reason}`),
    });
    if (this.#isClosed) made.close();
    return made;
  }

  /** RFC 3261 section 14.1 and RFC 3311 section 5.1. */
  #isClear({ method, sdp }: Modification): boolean {
    const { exchange } = this.#user;
    if (this.#user.dialog() === undefined) return false;
    if (method === 'UPDATE') return sdp === undefined || exchange.agreed;
    return this.#user.state() === 'established' && !this.#user.peerInvites() && exchange.agreed;
  }

  #send(modification: Modification, done: (response: SipResponse | undefined) => void): void {
    const { exchange } = this.#user;
    const dialog = this.#user.dialog();
    const flow = dialog && this.#user.route(dialog);
    if (dialog === undefined || flow === undefined) {
      done(undefined);
      return;
    }
    const { method } = modification;
    // A re-INVITE that changes nothing says again what is in force (RFC 4028 section 7.4).
    const sdp = modification.sdp ?? (method === 'INVITE' ? exchange.local : undefined);
    if (sdp !== undefined) exchange.sendOffer(sdp);
    const headers = [
      this.#user.contactHeader(flow),
      allowHeader(allowedMethods),
      supportedHeader(),
      ...this.timerHeaders(),
    ];
    const body = sdp === undefined ? undefined : { contentType: sdpType, content: sdp };
    this.#user.send(dialog.draft(method, { headers, body }), dialog, (response) => {
      if (this.#user.state() === 'ended') return;
      if (response !== undefined) this.#user.learn(response);
      if (response === undefined || response.status >= 300) {
        if (sdp !== undefined) exchange.refuse();
        if (response !== undefined && this.raiseTimer(response)) this.#send(modification, done);
        else done(response);
        return;
      }
      dialog.refreshTarget(response);
      this.#refresh.answered(response);
      const news = sdp === undefined ? undefined : this.#takeAnswer(sessionDescription(response));
      done(response);
      if (modification.sdp === undefined && news !== undefined)
        this.#user.notify(() => this.#user.handlers().answered?.(news));
    });
  }

  /** @returns the answer where it is not the one that is in force already */
  #takeAnswer(answer: string | undefined): string | undefined {
    const { exchange } = this.#user;
    if (answer === undefined) {
      exchange.refuse();
      return undefined;
    }
    const before = exchange.remote;
    exchange.receiveAnswer(answer);
    return answer === before ? undefined : answer;
  }
}
