import type { Timer } from '../clock.ts';
import { newId } from '../ids.ts';
import { sdpType, sessionDescription } from './body.ts';
import { allowedMethods, allowHeader } from './capabilities.ts';
import type { ClientRequest } from './client-request.ts';
import { Dialog, initialSequence } from './dialog.ts';
import { answerChallenge, type ClientCredentials } from './digest-client.ts';
import { InviteSession } from './invite-session.ts';
import { headerValue, type SipRequest, type SipResponse } from './message.ts';
import { type NameAddress, tagOf, toSipAddress } from './name-address.ts';
import type { RequestDraft } from './serializer.ts';
import type { SipAddress, SipHeader, SipSessionHandlers } from './session.ts';
import type { SessionContext } from './session-context.ts';
import { patienceMs } from './timers.ts';
import type { Endpoint, Flow } from './transport.ts';

export interface OutgoingCall {
  readonly requestUri: string;
  readonly from: NameAddress;
  readonly fromText: string;
  readonly to: NameAddress;
  readonly toText: string;
  readonly offer: string;
  readonly headers: readonly SipHeader[];
  readonly credentials: ClientCredentials | undefined;
  readonly handlers: SipSessionHandlers;
  /** The request URI does not say where the call goes: what belongs to it goes the same way. */
  readonly viaNextHop: boolean;
  /** Best knowledge of the peer's address before it is resolved. */
  readonly peer: Endpoint;
}

const maxForks = 8;

/** A call of ours. */
export class OutgoingSession extends InviteSession {
  readonly direction = 'outgoing';
  readonly callId = newId();
  readonly requestUri: string;
  readonly from: SipAddress;
  readonly to: SipAddress;
  readonly headers: readonly SipHeader[];
  readonly offer = undefined;
  protected readonly offerPending = 491;
  peer: Endpoint;
  readonly #call: OutgoingCall;
  #sequence = initialSequence();
  #draft: RequestDraft | undefined;
  #request: ClientRequest | undefined;
  /** Dialogs by the peer's tag: an INVITE that was forked may have several (RFC 3261 section 13.2.2.4). */
  readonly #forks = new Map<string, Dialog>();
  #ack: RequestDraft | undefined;
  #earlyAnswer: string | undefined;
  #cancelWanted = false;
  #cancelTimer: Timer | undefined;

  constructor(context: SessionContext, call: OutgoingCall) {
    super(context);
    this.#call = call;
    this.requestUri = call.requestUri;
    this.from = toSipAddress(call.from);
    this.to = toSipAddress(call.to);
    this.headers = call.headers;
    this.handlers = call.handlers;
    this.credentials = call.credentials;
    this.peer = call.peer;
    this.symmetric = call.viaNextHop;
  }

  /** Sends the INVITE. */
  start(flow: Flow): void {
    if (this.state === 'ended') return;
    this.flow = flow;
    this.peer = flow.remote;
    this.#invite(flow, []);
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
    this.#cancelTimer?.cancel();
  }

  override dialogOf(request: SipRequest): Dialog | undefined {
    if (request.callId !== this.callId) return undefined;
    return this.#forks.get(tagOf(request.from) ?? '');
  }

  protected remoteEnded(reason: string | undefined): void {
    // A BYE in an early dialog: the INVITE itself is then refused or cancelled.
    if (this.dialog === undefined) this.#cancel();
    else this.release();
    this.finish({ cause: 'remote', reason });
  }

  #invite(flow: Flow, extra: readonly SipHeader[]): void {
    const { fromText, toText, requestUri, offer, headers } = this.#call;
    const draft: RequestDraft = {
      method: 'INVITE',
      uri: requestUri,
      headers: [
        { name: 'From', value: `${fromText};tag=${this.localTag}` },
        { name: 'To', value: toText },
        { name: 'Call-ID', value: this.callId },
        { name: 'CSeq', value: `${this.#sequence} INVITE` },
        this.contactHeader(flow),
        allowHeader(allowedMethods),
        ...headers,
        ...extra,
      ],
      body: { contentType: sdpType, content: offer },
    };
    this.#draft = draft;
    this.#request = this.context.request(draft, flow, {
      response: (response) => this.#receiveResponse(response, draft),
      failed: (cause) => this.#requestFailed(cause),
    });
  }

  #cancel(): void {
    const request = this.#request;
    if (request === undefined) return;
    if (!request.cancellable) {
      this.#cancelWanted = true;
      return;
    }
    this.#cancelWanted = false;
    request.cancel();
    // RFC 3261 section 9.1: no final response for 64*T1 after the CANCEL, and the INVITE counts as cancelled.
    const { clock, timers } = this.context.transactions;
    this.#cancelTimer = clock.after(patienceMs(timers), () => {
      if (!request.cancellable) return;
      request.terminate();
      this.release();
    });
  }

  #receiveResponse(response: SipResponse, draft: RequestDraft): void {
    if (response.status < 200) this.#receiveProvisional(response, draft);
    else if (response.status < 300) this.#receiveAnswer(response, draft);
    else this.#receiveRefusal(response, draft);
  }

  #receiveProvisional(response: SipResponse, draft: RequestDraft): void {
    if (this.#cancelWanted) this.#cancel();
    if (response.status === 100 || this.state === 'ended') return;
    this.#fork(response, draft);
    this.move('provisional');
    const sdp = sessionDescription(response);
    this.#earlyAnswer = sdp ?? this.#earlyAnswer;
    this.notify(() => this.handlers.progress?.(response.status, sdp));
  }

  #fork(response: SipResponse, draft: RequestDraft): Dialog | undefined {
    const tag = tagOf(response.to) ?? '';
    let dialog = this.#forks.get(tag);
    if (dialog === undefined && this.#forks.size < maxForks) {
      dialog = Dialog.forClient(draft, response);
      this.#forks.set(tag, dialog);
    }
    return dialog;
  }

  #receiveAnswer(response: SipResponse, draft: RequestDraft): void {
    // The 2xx has the last word on target and route (RFC 3261 section 13.2.2.4).
    const tag = tagOf(response.to) ?? '';
    if (this.dialog?.remoteTag === tag) {
      this.#acknowledge(this.dialog, this.#ack);
      return;
    }
    this.#forks.delete(tag);
    const dialog = this.#fork(response, draft);
    if (dialog === undefined) return;
    const ack = dialog.draft('ACK', { sequence: response.cseq.sequence, headers: authorizationOf(draft) });
    this.#acknowledge(dialog, ack);
    // Too late for us, or a second fork answered as well.
    if (this.state === 'ended' || this.dialog !== undefined) {
      this.#hangUpFork(dialog, ack);
      return;
    }
    this.dialog = dialog;
    this.#ack = ack;
    this.move('accept');
    const answer = sessionDescription(response) ?? this.#earlyAnswer;
    if (answer === undefined) {
      this.finish({ cause: 'error', reason: 'the 2xx carries no session description' });
      this.sendBye('no session description');
      return;
    }
    this.notify(() => this.handlers.answered?.(answer));
    if (this.state !== 'accepted') return;
    this.move('establish');
    this.notify(() => this.handlers.established?.());
  }

  #hangUpFork(dialog: Dialog, ack: RequestDraft): void {
    if (this.dialog === undefined) {
      this.dialog = dialog;
      this.#ack = ack;
      this.sendBye('cancelled', dialog);
      return;
    }
    this.send(dialog.draft('BYE'), dialog, () => {});
  }

  #acknowledge(dialog: Dialog, ack: RequestDraft | undefined): void {
    const flow = this.route(dialog);
    if (flow !== undefined && ack !== undefined) this.context.sendAck(ack, flow);
  }

  #receiveRefusal(response: SipResponse, draft: RequestDraft): void {
    const authorization = answerChallenge(response, draft, this.credentials);
    const tried = draft.headers.some(({ name }) => name === authorization?.name);
    if (authorization !== undefined && !tried && this.state !== 'ended' && this.flow !== undefined) {
      this.#sequence++;
      const earlier = authorizationOf(draft);
      this.#invite(this.flow, [...earlier, authorization]);
      return;
    }
    this.release();
    const reason = headerValue(response, 'reason') ?? response.reason;
    this.finish({ cause: 'rejected', status: response.status, reason });
  }

  #requestFailed(cause: 'timeout' | 'transport'): void {
    this.release();
    if (cause === 'timeout')
      this.finish({ cause: 'timeout', status: 408, reason: 'no answer to the INVITE' });
    else this.finish({ cause: 'error', status: 503, reason: 'the INVITE could not be sent' });
  }
}

/** RFC 3261 section 22.1: the ACK carries the credentials of its INVITE. */
function authorizationOf(draft: RequestDraft): SipHeader[] {
  return draft.headers.filter(({ name }) => name === 'Authorization' || name === 'Proxy-Authorization');
}
