import type { Timer } from '../clock.ts';
import { nextState, type TransitionTable } from '../state-machine.ts';
import type { SipResponse } from './message.ts';
import { patienceMs, Repeater } from './timers.ts';
import {
  type ClientTransactionUser,
  clientKey,
  type SentRequest,
  type Transaction,
  type TransactionContext,
} from './transaction.ts';

export type NonInviteClientState = 'trying' | 'proceeding' | 'completed' | 'terminated';
export type NonInviteClientEvent = '1xx' | '200-699' | 'timer-e' | 'timer-f' | 'timer-k' | 'transport-error';

/** RFC 3261 section 17.1.2. */
export const nonInviteClientTable: TransitionTable<NonInviteClientState, NonInviteClientEvent> = {
  trying: {
    '1xx': 'proceeding', // 17.1.2.2
    '200-699': 'completed', // 17.1.2.2
    'timer-e': 'trying', // 17.1.2.2: retransmit, double up to T2
    'timer-f': 'terminated', // 17.1.2.2: inform of a timeout
    'transport-error': 'terminated', // 17.1.4
  },
  proceeding: {
    '1xx': 'proceeding', // 17.1.2.2
    '200-699': 'completed', // 17.1.2.2
    'timer-e': 'proceeding', // 17.1.2.2: retransmit, every T2
    'timer-f': 'terminated', // 17.1.2.2
    'transport-error': 'terminated', // 17.1.4
  },
  completed: {
    '200-699': 'completed', // 17.1.2.2: retransmissions are absorbed
    'timer-k': 'terminated', // 17.1.2.2
  },
  terminated: {},
};

export class NonInviteClientTransaction implements Transaction {
  readonly key: string;
  readonly sent: SentRequest;
  #state: NonInviteClientState = 'trying';
  readonly #context: TransactionContext;
  readonly #user: ClientTransactionUser;
  readonly #repeater: Repeater;
  #timer: Timer | undefined;

  constructor(context: TransactionContext, sent: SentRequest, user: ClientTransactionUser) {
    this.key = clientKey(sent.branch, sent.draft.method);
    this.#context = context;
    this.sent = sent;
    this.#user = user;
    this.#repeater = new Repeater(context.clock);
  }

  get state(): NonInviteClientState {
    return this.#state;
  }

  get settled(): boolean {
    return this.#state === 'completed' || this.#state === 'terminated';
  }

  start(): void {
    this.#send();
    this.#repeat(this.#context.timers.t1Ms);
    this.#timer = this.#context.clock.after(patienceMs(this.#context.timers), () => {
      if (this.#move('timer-f')) this.#user.failed('timeout');
    });
  }

  receive(response: SipResponse): void {
    const before = this.#state;
    const event = response.status < 200 ? '1xx' : '200-699';
    // A provisional response that comes late says nothing any more.
    if (before === 'completed' && event === '1xx') return;
    if (this.#move(event) && before !== 'completed') this.#user.response(response);
  }

  terminate(): void {
    if (this.#state === 'terminated') return;
    this.#state = 'terminated';
    this.#stop();
  }

  #repeat(firstMs: number): void {
    if (this.sent.flow.reliable) return;
    this.#repeater.start(firstMs, this.#context.timers.t2Ms, () => {
      if (this.#move('timer-e')) this.#send();
    });
  }

  #send(): void {
    this.sent.flow.send(this.sent.bytes, () => {
      // The request has had its answer: whether all of its copies could be sent does not matter.
      if (this.settled) return;
      if (this.#move('transport-error')) this.#user.failed('transport');
    });
  }

  #move(event: NonInviteClientEvent): boolean {
    const before = this.#state;
    const next = nextState('non-invite-client', nonInviteClientTable, before, event);
    if (next === undefined) return false;
    this.#state = next;
    if (next !== before) this.#enter(next);
    return true;
  }

  #enter(state: NonInviteClientState): void {
    if (state === 'proceeding') {
      this.#repeat(this.#context.timers.t2Ms);
      return;
    }
    this.#repeater.cancel();
    this.#timer?.cancel();
    if (state === 'terminated') this.#stop();
    else
      this.#timer = this.#context.clock.after(
        this.sent.flow.reliable ? 0 : this.#context.timers.t4Ms,
        () => void this.#move('timer-k'),
      );
  }

  #stop(): void {
    this.#repeater.cancel();
    this.#timer?.cancel();
    this.#context.terminated(this);
  }
}
