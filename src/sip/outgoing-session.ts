import { CallreelError } from '../errors.ts';
import { newId } from '../ids.ts';
import { sdpType, sessionDescription } from './body.ts';
import { sendBye } from './bye.ts';
import type { ClientRequest } from './client-request.ts';
import { type Dialog, initialSequence } from './dialog.ts';
import { answerChallenge } from './digest-client.ts';
import { type Fork, Forks } from './forks.ts';
import { authorizationOf } from './in-dialog-request.ts';
import { InviteCancellation } from './invite-cancellation.ts';
import { InviteSession } from './invite-session.ts';
import { headerValue, type SipRequest, type SipResponse } from './message.ts';
import { tagOf, toSipAddress } from './name-address.ts';
import { OutgoingAnswers } from './outgoing-answers.ts';
import { inviteDraft, type OutgoingCall } from './outgoing-call.ts';
import { type RedirectConsent, RedirectTargets } from './redirect.ts';
import type { RequestDraft } from './serializer.ts';
import type { SipAddress, SipEnd, SipHeader } from './session.ts';
import type { SessionContext } from './session-context.ts';
import type { ServerTransaction } from './transaction-layer.ts';
import type { Endpoint, Flow } from './transport.ts';

const offerRefusals: ReadonlySet<number> = new Set([415, 488, 606]);

/** A call of ours. */
export class OutgoingSession extends InviteSession {
  readonly direction = 'outgoing';
  readonly callId = newId();
  readonly requestUri: string;
  readonly from: SipAddress;
  readonly to: SipAddress;
  readonly headers: readonly SipHeader[];
  readonly offer = undefined;
  readonly #call: OutgoingCall;
  #sequence = initialSequence();
  #offer: string | undefined;
  #offeredAnother = false;
  #request: ClientRequest | undefined;
  readonly #forks = new Forks();
  readonly #redirects: RedirectTargets;
  /** Where the INVITE goes now. */
  #target: { uri: string; route: readonly string[] };
  readonly #answers: OutgoingAnswers;
  readonly #cancellation: InviteCancellation;

  constructor(context: SessionContext, call: OutgoingCall) {
    super(context);
    this.#call = call;
    this.#offer = call.offer;
    this.#target = { uri: call.requestUri, route: call.route };
    this.#redirects = new RedirectTargets(call.requestUri);
    this.requestUri = call.requestUri;
    this.from = toSipAddress(call.from);
    this.to = toSipAddress(call.to);
    this.headers = call.headers;
    this.handlers = call.handlers;
    this.way.credentials = call.credentials;
    this.way.symmetric = call.viaNextHop;
    this.#cancellation = new InviteCancellation(context.transactions, () => this.release());
    this.#answers = new OutgoingAnswers({
      exchange: this.exchange,
      offers: call.offer !== undefined,
      reoffered: (sdp) => this.notify(() => this.handlers.reoffered?.(sdp)),
      failed: (error) =>
        context.log('error', 'an offer could not be answered', { callId: this.callId, error }),
      send: (draft, dialog) => this.way.send(draft, dialog, () => this.offersSettled()),
    });
  }

  /** Sends the INVITE. */
  start(flow: Flow): void {
    if (this.state === 'ended') return;
    this.way.flow = flow;
    this.#invite(flow, []);
  }

  /** Who was asked last: of several targets of one name, the one that the INVITE has come to. */
  get peer(): Endpoint {
    return this.way.flow?.remote ?? this.#call.peer;
  }

  /** The INVITE could not be sent at all. */
  fail(reason: string): void {
    this.release();
    this.finish({ cause: 'error', status: 503, reason });
  }

  provisional(): void {}

  accept(): void {}

  reject(): void {}

  end(reason?: string): void {
    if (this.state === 'ended') return;
    const established = this.dialog !== undefined;
    this.finish({ cause: 'local', reason });
    if (established) {
      this.abandon();
      this.sendBye(reason);
    } else if (this.#request === undefined) this.release();
    else this.#cancel();
  }

  override abandon(): void {
    super.abandon();
    this.#cancellation.stop();
  }

  override dialogOf(request: SipRequest): Dialog | undefined {
    if (request.callId !== this.callId) return undefined;
    return this.#forks.get(tagOf(request.from) ?? '')?.dialog;
  }

  override isWith(remoteTag: string): boolean {
    return this.dialog === undefined ? this.#forks.get(remoteTag) !== undefined : super.isWith(remoteTag);
  }

  /** What a place says that was not the first to answer is not about this call any more. */
  override receive(transaction: ServerTransaction, dialog: Dialog): void {
    if (this.dialog === undefined || dialog === this.dialog) super.receive(transaction, dialog);
    else this.respond(transaction, transaction.request.method === 'BYE' ? 200 : 481);
  }

  protected remoteEnded(reason: string | undefined): void {
    // A BYE in an early dialog: the INVITE itself is then refused or cancelled.
    if (this.dialog === undefined) this.#cancel();
    else this.release();
    this.finish({ cause: 'remote', reason });
  }

  #invite(flow: Flow, extra: readonly SipHeader[]): void {
    const offer = this.#offer;
    const draft = inviteDraft(this.#call, {
      target: this.#target,
      callId: this.callId,
      localTag: this.localTag,
      sequence: this.#sequence,
      offer,
      contact: this.contactHeader(flow),
      timer: this.changes.timerHeaders(),
      extra,
    });
    if (offer !== undefined && this.exchange.state === 'none') this.exchange.sendOffer(offer);
    this.#request = this.context.request(draft, flow, {
      response: (response) => this.#receiveResponse(response, draft),
      failed: (cause) => this.#requestFailed(cause),
    });
  }

  #cancel(): void {
    if (this.#request !== undefined) this.#cancellation.cancel(this.#request);
  }

  protected override get currentDialog(): Dialog | undefined {
    return this.dialog ?? this.#answers.answeredFork;
  }

  #receiveResponse(response: SipResponse, draft: RequestDraft): void {
    if (this.state === 'calling') this.notify(() => this.handlers.responded?.());
    this.learn(response);
    if (response.status < 200) this.#receiveProvisional(response, draft);
    else if (response.status < 300) this.#receiveAnswer(response, draft);
    else this.#receiveRefusal(response, draft);
  }

  #receiveProvisional(response: SipResponse, draft: RequestDraft): void {
    if (this.#cancellation.wanted) this.#cancel();
    if (response.status === 100 || this.state === 'ended') return;
    const fork = this.#forks.early(draft, response);
    const reliable = fork?.order.receive(response);
    if (fork === undefined || reliable === 'drop') return;
    this.move('provisional');
    const sdp = sessionDescription(response);
    if (reliable !== undefined) void this.#answers.acknowledge(fork.dialog, reliable.rack, sdp);
    fork.earlyAnswer = sdp ?? fork.earlyAnswer;
    this.notify(() => this.handlers.progress?.(response.status, sdp, fork.dialog.remoteTag));
  }

  /** The first 2xx is the call; every other one is acknowledged and hung up (RFC 3261 section 13.2.2.4). */
  #receiveAnswer(response: SipResponse, draft: RequestDraft): void {
    const fork = this.#forks.answered(draft, response);
    if (fork === undefined) return;
    const { dialog } = fork;
    // The 2xx again; its ACK may still be on the way.
    if (fork.ack !== undefined || dialog === this.dialog) {
      this.#acknowledge(fork);
      return;
    }
    const acknowledge = (body?: string) => {
      fork.ack = dialog.draft('ACK', {
        sequence: response.cseq.sequence,
        headers: authorizationOf(draft),
        body: body === undefined ? undefined : { contentType: sdpType, content: body },
      });
      this.#acknowledge(fork);
    };
    // Too late for us, or a second fork answered as well.
    if (this.state === 'ended' || this.dialog !== undefined) {
      acknowledge();
      this.#hangUpFork(dialog);
      return;
    }
    this.dialog = dialog;
    // There is nothing to cancel any more: it would be kept, with all that was sent, as long as the call.
    this.#request = undefined;
    this.move('accept');
    this.changes.timerAnswered(response);
    const sdp = sessionDescription(response);
    if (this.exchange.state === 'none' && sdp !== undefined) {
      void this.#answers.answer(sdp).then((answer) => {
        acknowledge(answer);
        this.#established(answer === undefined ? 'the offer of the 2xx was refused' : undefined);
      });
      return;
    }
    acknowledge();
    const answer = this.#answers.of(fork, sdp);
    if (answer !== undefined) this.notify(() => this.handlers.answered?.(answer));
    this.#established(this.exchange.agreed ? undefined : 'the 2xx carries no session description');
  }

  #established(failure: string | undefined): void {
    if (this.state !== 'accepted') return;
    if (failure !== undefined) {
      this.finish({ cause: 'error', reason: failure });
      this.sendBye('no session description');
      return;
    }
    this.move('establish');
    this.notify(() => this.handlers.established?.());
  }

  #hangUpFork(dialog: Dialog): void {
    if (this.dialog !== undefined) sendBye(this.way, dialog, { reason: undefined }, () => {});
    else this.sendBye('cancelled', (this.dialog = dialog));
  }

  #acknowledge({ dialog, ack }: Fork): void {
    if (ack !== undefined) this.way.acknowledge(ack, dialog);
  }

  #receiveRefusal(response: SipResponse, draft: RequestDraft): void {
    const { flow, credentials } = this.way;
    const authorization = answerChallenge(response, draft, credentials);
    const tried = draft.headers.some(({ name }) => name === authorization?.name);
    if (authorization !== undefined && !tried && this.state !== 'ended' && flow !== undefined) {
      this.#sequence++;
      const earlier = authorizationOf(draft);
      this.#invite(flow, [...earlier, authorization]);
      return;
    }
    // RFC 4028 section 7.3: a 422, and the INVITE again with the interval it asks for.
    if (this.state !== 'ended' && flow !== undefined && this.changes.raiseTimer(response)) {
      this.#sequence++;
      this.#invite(flow, authorizationOf(draft));
      return;
    }
    const other = this.#otherOffer(response);
    if (other !== undefined && flow !== undefined) {
      this.#offer = other;
      this.exchange.refuse();
      this.#forks.clear();
      this.#sequence++;
      this.#invite(flow, authorizationOf(draft));
      return;
    }
    const reason = headerValue(response, 'reason') ?? response.reason;
    const end: SipEnd = { cause: 'rejected', status: response.status, reason };
    this.#redirects.add(response);
    // RFC 3261 section 21.6: a 6xx speaks for every place.
    if (response.status >= 600) this.#over(end);
    else this.#goOn(end);
  }

  /** RFC 3261 sections 21.4.13, 21.4.26 and 21.6.4: the called party would talk, but not so. */
  #otherOffer({ status }: SipResponse): string | undefined {
    if (!offerRefusals.has(status) || this.#offeredAnother) return undefined;
    if (this.state === 'ended' || this.exchange.state !== 'first-sent') return undefined;
    this.#offeredAnother = true;
    return this.notify(() => this.handlers.offerRefused?.(status));
  }

  #requestFailed(cause: 'timeout' | 'transport'): void {
    if (cause === 'timeout') this.#goOn({ cause: 'timeout', status: 408, reason: 'no answer to the INVITE' });
    else this.#goOn({ cause: 'error', status: 503, reason: 'the INVITE could not be sent' });
  }

  /** Calls the next place that the called party was said to be at; the call ends where there is none. */
  #goOn(end: SipEnd): void {
    const { redirect } = this.#call;
    const uri = this.state === 'ended' || redirect === undefined ? undefined : this.#redirects.next();
    if (uri === undefined || redirect === undefined) {
      this.#over(end);
      return;
    }
    this.#request = undefined;
    this.#forks.clear();
    this.#follow(uri, redirect).catch((error: unknown) => {
      this.context.log('debug', 'a redirection was not followed', { callId: this.callId, uri, error });
      this.#goOn(end);
    });
  }

  /** RFC 3261 section 8.1.3.4: the same call, the next CSeq. Who was to be called has our credentials, nobody else. */
  async #follow(uri: string, redirect: RedirectConsent): Promise<void> {
    if (!(await redirect(uri))) throw new CallreelError('OUTBOUND_FORBIDDEN', 'this is not to be called');
    const flow = await this.context.locate(uri);
    if (this.state === 'ended') return;
    this.#target = { uri, route: [] };
    this.way.credentials = undefined;
    this.way.symmetric = false;
    this.way.flow = flow;
    this.#sequence++;
    this.#invite(flow, []);
  }

  #over(end: SipEnd): void {
    this.release();
    this.finish(end);
  }
}
