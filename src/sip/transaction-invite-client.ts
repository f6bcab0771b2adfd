import type { Timer } from '../clock.ts';
import { nextState, type TransitionTable } from '../state-machine.ts';
import type { SipResponse } from './message.ts';
import { responseClass } from './status.ts';
import { patienceMs, Repeater } from './timers.ts';
import {
  type ClientTransactionUser,
  clientKey,
  companionBytes,
  type SentRequest,
  type Transaction,
  type TransactionContext,
} from './transaction.ts';

export type InviteClientState = 'calling' | 'proceeding' | 'completed' | 'accepted' | 'terminated';
export type InviteClientEvent =
  | '1xx'
  | '2xx'
  | '300-699'
  | 'timer-a'
  | 'timer-b'
  | 'timer-d'
  | 'timer-m'
  | 'transport-error';

/** RFC 3261 section 17.1.1 with RFC 6026 section 8.4 (state Accepted, timer M). */
export const inviteClientTable: TransitionTable<InviteClientState, InviteClientEvent> = {
  calling: {
    '1xx': 'proceeding', // 17.1.1.2
    '2xx': 'accepted', // 6026 8.4
    '300-699': 'completed', // 17.1.1.2: ACK
    'timer-a': 'calling', // 17.1.1.2: retransmit, double
    'timer-b': 'terminated', // 17.1.1.2: inform of a timeout
    'transport-error': 'terminated', // 17.1.4
  },
  proceeding: {
    '1xx': 'proceeding', // 17.1.1.2
    '2xx': 'accepted', // 6026 8.4
    '300-699': 'completed', // 17.1.1.2: ACK
    'transport-error': 'terminated', // 17.1.4
  },
  completed: {
    '300-699': 'completed', // 17.1.1.2: ACK again
    'timer-d': 'terminated', // 17.1.1.2
    'transport-error': 'terminated', // 17.1.1.2: the ACK could not be sent
  },
  accepted: {
    '2xx': 'accepted', // 6026 8.4: passed on, the session acknowledges
    'timer-m': 'terminated', // 6026 8.4
  },
  terminated: {},
};

/** At least 32 s on an unreliable transport (RFC 3261 section 17.1.1.2). */
const timerDMs = 32_000;

export class InviteClientTransaction implements Transaction {
  readonly key: string;
  readonly sent: SentRequest;
  #state: InviteClientState = 'calling';
  readonly #context: TransactionContext;
  readonly #user: ClientTransactionUser;
  readonly #repeater: Repeater;
  #timer: Timer | undefined;

  constructor(context: TransactionContext, sent: SentRequest, user: ClientTransactionUser) {
    this.key = clientKey(sent.branch, 'INVITE');
    this.#context = context;
    this.sent = sent;
    this.#user = user;
    this.#repeater = new Repeater(context.clock);
  }

  get state(): InviteClientState {
    return this.#state;
  }

  get settled(): boolean {
    return this.#state !== 'calling' && this.#state !== 'proceeding';
  }

  start(): void {
    const { t1Ms } = this.#context.timers;
    this.#sendRequest();
    if (!this.sent.flow.reliable)
      this.#repeater.start(t1Ms, Number.POSITIVE_INFINITY, () => {
        if (this.#move('timer-a')) this.#sendRequest();
      });
    this.#after(patienceMs(this.#context.timers), () => {
      if (this.#move('timer-b')) this.#user.failed('timeout');
    });
  }

  receive(response: SipResponse): void {
    const event = responseClass(response.status);
    const before = this.#state;
    // After the final response only its like is looked at; what comes late from other forks is left lying.
    if (before === 'completed' && event !== '300-699') return;
    if (before === 'accepted' && event !== '2xx') return;
    if (!this.#move(event)) return;
    if (event === '300-699') this.#acknowledge(response);
    if (before !== 'completed') this.#user.response(response);
  }

  terminate(): void {
    if (this.#state === 'terminated') return;
    this.#state = 'terminated';
    this.#stop();
  }

  #sendRequest(): void {
    this.sent.flow.send(this.sent.bytes, () => this.#transportFailed());
  }

  #acknowledge(response: SipResponse): void {
    const to = response.headers.find((header) => header.key === 'to');
    this.sent.flow.send(companionBytes('ACK', this.sent, to), () => this.#transportFailed());
  }

  #transportFailed(): void {
    // Accepted: the request has had its answer, and nothing more is sent.
    if (this.#state === 'terminated' || this.#state === 'accepted') return;
    const answered = this.settled;
    if (this.#move('transport-error') && !answered) this.#user.failed('transport');
  }

  #move(event: InviteClientEvent): boolean {
    const before = this.#state;
    const next = nextState('invite-client', inviteClientTable, before, event);
    if (next === undefined) return false;
    this.#state = next;
    if (next !== before) this.#enter(next);
    return true;
  }

  #enter(state: InviteClientState): void {
    this.#repeater.cancel();
    this.#timer?.cancel();
    if (state === 'completed')
      this.#after(this.sent.flow.reliable ? 0 : timerDMs, () => void this.#move('timer-d'));
    else if (state === 'accepted')
      this.#after(patienceMs(this.#context.timers), () => void this.#move('timer-m'));
    else if (state === 'terminated') this.#stop();
  }

  #after(delayMs: number, action: () => void): void {
    this.#timer = this.#context.clock.after(delayMs, action);
  }

  #stop(): void {
    this.#repeater.cancel();
    this.#timer?.cancel();
    this.#context.terminated(this);
  }
}
