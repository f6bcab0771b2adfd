import type { SipRequest } from './message.ts';
import type { OutgoingResponse } from './serializer.ts';
import type { Transaction, TransactionContext } from './transaction.ts';
import type { Flow } from './transport.ts';

/** `send` brings bytes back to whoever sent the request. */
export type ServerTransactionParts = [
  context: TransactionContext,
  keys: { key: string; mergeKey: string | undefined },
  request: SipRequest,
  flow: Flow,
  send: (bytes: Buffer, failed: () => void) => void,
];

/** What both machines of RFC 3261 section 17.2 share: the request, the last response and the end. */
export abstract class ServerTransactionBase<State extends string> implements Transaction {
  readonly key: string;
  readonly mergeKey: string | undefined;
  readonly request: SipRequest;
  readonly flow: Flow;
  protected readonly context: TransactionContext;
  protected last: OutgoingResponse | undefined;
  #state: State;
  readonly #send: (bytes: Buffer, failed: () => void) => void;

  constructor(first: State, ...[context, keys, request, flow, send]: ServerTransactionParts) {
    this.#state = first;
    this.context = context;
    this.key = keys.key;
    this.mergeKey = keys.mergeKey;
    this.request = request;
    this.flow = flow;
    this.#send = send;
  }

  get state(): State {
    return this.#state;
  }

  abstract readonly settled: boolean;
  /** The machine's last state. */
  protected abstract readonly terminated: State;
  /** Takes the event that the last response could not be sent. */
  protected abstract transportFailed(): void;
  protected abstract stopTimers(): void;

  terminate(): void {
    if (this.#state !== this.terminated) this.enter(this.terminated);
  }

  /** In the last state every timer stops, and the layer forgets the transaction. */
  protected enter(state: State): void {
    this.#state = state;
    if (state !== this.terminated) return;
    this.stopTimers();
    // The session behind it goes on.
    this.last = undefined;
    this.context.terminated(this);
  }

  protected sendLast(): void {
    if (this.last === undefined) return;
    this.#send(this.last.bytes, () => {
      if (this.#state !== this.terminated) this.transportFailed();
    });
  }
}
