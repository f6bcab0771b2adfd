import type { Timer } from '../clock.ts';
import { nextState, type TransitionTable } from '../state-machine.ts';
import type { SipRequest } from './message.ts';
import type { OutgoingResponse } from './serializer.ts';
import { patienceMs } from './timers.ts';
import { ServerTransactionBase, type ServerTransactionParts } from './transaction-server.ts';

export type NonInviteServerState = 'trying' | 'proceeding' | 'completed' | 'terminated';
export type NonInviteServerEvent = 'request' | '1xx' | '200-699' | 'timer-j' | 'transport-error';

/** RFC 3261 section 17.2.2. */
export const nonInviteServerTable: TransitionTable<NonInviteServerState, NonInviteServerEvent> = {
  trying: {
    request: 'trying', // 17.2.2: absorbed
    '1xx': 'proceeding', // 17.2.2
    '200-699': 'completed', // 17.2.2
  },
  proceeding: {
    request: 'proceeding', // 17.2.2: send the last provisional again
    '1xx': 'proceeding', // 17.2.2
    '200-699': 'completed', // 17.2.2
    'transport-error': 'terminated', // 17.2.4
  },
  completed: {
    request: 'completed', // 17.2.2: send the final response again
    'timer-j': 'terminated', // 17.2.2
    'transport-error': 'terminated', // 17.2.4
  },
  terminated: {},
};

export class NonInviteServerTransaction extends ServerTransactionBase<NonInviteServerState> {
  protected readonly terminated = 'terminated';
  #timer: Timer | undefined;

  /** @param parts as `ServerTransactionBase` takes them */
  constructor(...parts: ServerTransactionParts) {
    super('trying', ...parts);
  }

  get settled(): boolean {
    return this.state === 'completed' || this.state === 'terminated';
  }

  /** Sends a response; ignored once a final one was sent. */
  respond(response: OutgoingResponse): void {
    if (this.settled) return;
    this.last = response;
    this.#move(response.status < 200 ? '1xx' : '200-699');
    this.sendLast();
  }

  /** The request again. */
  receive(_request: SipRequest): void {
    if (this.state !== 'terminated' && this.#move('request')) this.sendLast();
  }

  protected transportFailed(): void {
    this.#move('transport-error');
  }

  protected stopTimers(): void {
    this.#timer?.cancel();
  }

  #move(event: NonInviteServerEvent): boolean {
    const before = this.state;
    const next = nextState('non-invite-server', nonInviteServerTable, before, event);
    if (next === undefined) return false;
    this.enter(next);
    if (next === 'completed' && before !== 'completed') this.#complete();
    return true;
  }

  #complete(): void {
    const delayMs = this.flow.reliable ? 0 : patienceMs(this.context.timers);
    this.#timer = this.context.clock.after(delayMs, () => void this.#move('timer-j'));
  }
}
