import { newId } from '../ids.ts';
import type { SipResponse } from './message.ts';
import { type RequestDraft, serializeRequest } from './serializer.ts';
import {
  type ClientTransactionUser,
  companionBytes,
  type SentRequest,
  type TransactionContext,
} from './transaction.ts';
import { InviteClientTransaction } from './transaction-invite-client.ts';
import { NonInviteClientTransaction } from './transaction-non-invite-client.ts';
import { type Flow, viaFor } from './transport.ts';
import { magicCookie } from './via.ts';

export type ClientTransaction = InviteClientTransaction | NonInviteClientTransaction;

/** What a client request needs of the layer that holds the transactions. */
export interface ClientRequestLayer {
  readonly context: TransactionContext;
  add(transaction: ClientTransaction): void;
}

export function sentRequest(draft: RequestDraft, flow: Flow): SentRequest {
  const branch = `${magicCookie}${newId()}`;
  const via = viaFor(flow, branch);
  return { draft, via, branch, flow, bytes: serializeRequest(draft, via) };
}

/**
 * One request on its way, over one flow after another until one of them takes it: a large request goes by TCP first
 * and by UDP when the peer does not listen there (RFC 3261 section 18.1.1).
 */
export class ClientRequest implements ClientTransactionUser {
  readonly #layer: ClientRequestLayer;
  readonly #draft: RequestDraft;
  readonly #fallback: Flow | undefined;
  readonly #user: ClientTransactionUser;
  #transaction: ClientTransaction | undefined;
  #sent: SentRequest;
  #heard = false;

  constructor(
    layer: ClientRequestLayer,
    draft: RequestDraft,
    flows: { first: Flow; fallback: Flow | undefined },
    user: ClientTransactionUser,
  ) {
    this.#layer = layer;
    this.#draft = draft;
    this.#fallback = flows.fallback;
    this.#user = user;
    this.#sent = sentRequest(draft, flows.first);
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
  }

  /** Sends a CANCEL in a transaction of its own; its response says nothing about the INVITE. */
  cancel(): void {
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
    this.#transaction?.terminate();
  }

  response(response: SipResponse): void {
    this.#heard = true;
    this.#user.response(response);
  }

  failed(cause: 'timeout' | 'transport'): void {
    if (cause === 'transport' && !this.#heard && this.#fallback && this.#sent.flow !== this.#fallback) {
      this.#sent = sentRequest(this.#draft, this.#fallback);
      this.start();
      return;
    }
    this.#user.failed(cause);
  }
}
