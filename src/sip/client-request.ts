import type { Timer } from '../clock.ts';
import { newId } from '../ids.ts';
import { withContactOn } from './contact.ts';
import type { SipResponse } from './message.ts';
import { RoutedFlow } from './routed-flow.ts';
import { type RequestDraft, serializeRequest } from './serializer.ts';
import {
  type ClientTransactionUser,
  companionBytes,
  type SentRequest,
  type TransactionContext,
} from './transaction.ts';
import { InviteClientTransaction } from './transaction-invite-client.ts';
import { NonInviteClientTransaction } from './transaction-non-invite-client.ts';
import { contactAddress, type Endpoint, type Flow, viaFor } from './transport.ts';
import { magicCookie } from './via.ts';

export type ClientTransaction = InviteClientTransaction | NonInviteClientTransaction;

/** What a client request needs of the layer that holds the transactions. */
export interface ClientRequestLayer {
  readonly context: TransactionContext;
  add(transaction: ClientTransaction): void;
  /** The stream that a request too large for a datagram goes by. */
  streamFor(draft: RequestDraft, flow: Flow): Flow | undefined;
  reached(endpoint: Endpoint, answered: boolean): void;
}

export function sentRequest(draft: RequestDraft, flow: Flow): SentRequest {
  const branch = `${magicCookie}${newId()}`;
  const via = viaFor(flow, branch);
  return { draft, via, branch, flow, bytes: serializeRequest(draft, via) };
}

/** In T1: where others could be asked, a target that says nothing at all is waited for a quarter of timers B and F. */
const silentTargetT1s = 16;

/**
 * One request on its way, over one flow after another until one of them takes it: a large request goes by TCP first
 * and by UDP when the peer does not listen there (RFC 3261 section 18.1.1); a target that fails, says nothing or is
 * out of service gives way to the next (RFC 3263 section 4.3).
 */
export class ClientRequest implements ClientTransactionUser {
  readonly #layer: ClientRequestLayer;
  readonly #user: ClientTransactionUser;
  readonly #route: Flow;
  #draft: RequestDraft;
  #transaction: ClientTransaction | undefined;
  #sent: SentRequest;
  #silence: Timer | undefined;
  #heard = false;
  #cancelled = false;

  constructor(layer: ClientRequestLayer, draft: RequestDraft, flow: Flow, user: ClientTransactionUser) {
    this.#layer = layer;
    this.#draft = draft;
    this.#route = flow;
    this.#user = user;
    const target = this.#target;
    this.#sent = sentRequest(draft, layer.streamFor(draft, target) ?? target);
  }

  /** The flow the request is on now. */
  get flow(): Flow {
    return this.#sent.flow;
  }

  /** RFC 3261 section 9.1: no CANCEL before a provisional response. */
  get cancellable(): boolean {
    return this.#transaction?.state === 'proceeding';
  }

  start(): void {
    const { context } = this.#layer;
    const transaction =
      this.#draft.method === 'INVITE'
        ? new InviteClientTransaction(context, this.#sent, this)
        : new NonInviteClientTransaction(context, this.#sent, this);
    this.#transaction = transaction;
    this.#layer.add(transaction);
    transaction.start();
    if (!this.#hasNext) return;
    this.#silence = context.clock.after(silentTargetT1s * context.timers.t1Ms, () => {
      if (transaction.state === 'terminated') return;
      transaction.terminate();
      this.failed('timeout');
    });
  }

  /** Sends a CANCEL in a transaction of its own; its response says nothing about the INVITE. */
  cancel(): void {
    this.#cancelled = true;
    const sent = this.#sent;
    const cancel = {
      ...sent,
      draft: { ...sent.draft, method: 'CANCEL' },
      bytes: companionBytes('CANCEL', sent),
    };
    const ignore: ClientTransactionUser = { response: () => {}, failed: () => {} };
    const transaction = new NonInviteClientTransaction(this.#layer.context, cancel, ignore);
    this.#layer.add(transaction);
    transaction.start();
  }

  terminate(): void {
    this.#silence?.cancel();
    this.#transaction?.terminate();
  }

  response(response: SipResponse): void {
    this.#silence?.cancel();
    this.#heard = true;
    const { status } = response;
    if (status === 503 && !this.#cancelled && this.#moveOn()) return;
    this.#layer.reached(this.#sent.flow.remote, true);
    // What comes later belongs to the target that took the request: a challenge is answered there.
    if (status >= 200 && this.#route instanceof RoutedFlow) this.#route.settle();
    this.#user.response(response);
  }

  failed(cause: 'timeout' | 'transport'): void {
    this.#silence?.cancel();
    const failedFlow = this.#sent.flow;
    this.#layer.reached(failedFlow.remote, false);
    const target = this.#target;
    if (cause === 'transport' && !this.#heard && failedFlow !== target) {
      this.#sent = sentRequest(this.#draft, target);
      this.start();
    } else if (this.#heard || this.#cancelled || !this.#moveOn()) this.#user.failed(cause);
  }

  get #target(): Flow {
    return this.#route instanceof RoutedFlow ? this.#route.current : this.#route;
  }

  get #hasNext(): boolean {
    return this.#route instanceof RoutedFlow && this.#route.hasNext;
  }

  /** The same request in a new transaction to the next target; our Contact is where that one reaches us. */
  #moveOn(): boolean {
    const former = contactAddress(this.#target);
    if (!(this.#route instanceof RoutedFlow) || !this.#route.moveOn()) return false;
    const target = this.#target;
    this.#heard = false;
    this.#draft = withContactOn(this.#draft, former, target);
    this.#sent = sentRequest(this.#draft, this.#layer.streamFor(this.#draft, target) ?? target);
    this.start();
    return true;
  }
}
