import type { Timer } from '../clock.ts';
import { nextState, type TransitionTable } from '../state-machine.ts';
import type { SipRequest } from './message.ts';
import type { OutgoingResponse } from './serializer.ts';
import { responseClass } from './status.ts';
import { patienceMs, Repeater } from './timers.ts';
import { ServerTransactionBase, type ServerTransactionParts } from './transaction-server.ts';

export type InviteServerState = 'proceeding' | 'completed' | 'confirmed' | 'accepted' | 'terminated';
export type InviteServerEvent =
  | 'invite'
  | 'ack'
  | '1xx'
  | '2xx'
  | '300-699'
  | 'timer-g'
  | 'timer-h'
  | 'timer-i'
  | 'timer-l'
  | 'transport-error';

/** RFC 3261 section 17.2.1 with RFC 6026 section 8.7 (state Accepted, timer L). */
export const inviteServerTable: TransitionTable<InviteServerState, InviteServerEvent> = {
  proceeding: {
    invite: 'proceeding', // 17.2.1: send the last provisional again
    '1xx': 'proceeding', // 17.2.1
    '2xx': 'accepted', // 6026 8.7
    '300-699': 'completed', // 17.2.1
    'transport-error': 'proceeding', // 6026 8.7: the final response may find a way
  },
  completed: {
    invite: 'completed', // 17.2.1: send the final response again
    ack: 'confirmed', // 17.2.1
    'timer-g': 'completed', // 17.2.1: send the final response again
    'timer-h': 'terminated', // 17.2.1: the ACK never came
    'transport-error': 'completed', // 6026 8.7
  },
  confirmed: {
    ack: 'confirmed', // 17.2.1: absorbed
    'timer-i': 'terminated', // 17.2.1
  },
  accepted: {
    invite: 'accepted', // 6026 8.7: absorbed, the session repeats its 2xx
    ack: 'accepted', // 6026 8.7: passed on to the session
    '2xx': 'accepted', // 6026 8.7: the session repeats its 2xx
    'timer-l': 'terminated', // 6026 8.7
    'transport-error': 'accepted', // 6026 8.7
  },
  terminated: {},
};

/** The session behind an INVITE; set when it exists. */
export interface InviteServerUser {
  /** A CANCEL for this transaction, already answered. */
  cancelled(request: SipRequest): void;
}

export class InviteServerTransaction extends ServerTransactionBase<InviteServerState> {
  user: InviteServerUser | undefined;
  protected readonly terminated = 'terminated';
  readonly #repeater: Repeater;
  #timer: Timer | undefined;

  /** @param parts as `ServerTransactionBase` takes them */
  constructor(...parts: ServerTransactionParts) {
    super('proceeding', ...parts);
    this.#repeater = new Repeater(this.context.clock);
  }

  get settled(): boolean {
    return this.state === 'accepted' || this.state === 'confirmed' || this.state === 'terminated';
  }

  /** Sends a response of the session; ignored where the machine is past it. */
  respond(response: OutgoingResponse): void {
    const event = responseClass(response.status);
    if (this.state !== 'proceeding' && !(this.state === 'accepted' && event === '2xx')) return;
    this.last = response;
    this.#move(event);
    this.sendLast();
  }

  /** An INVITE again, or the ACK. */
  receive(request: SipRequest): void {
    if (this.state === 'terminated') return;
    if (request.method === 'ACK') {
      // Before a final response there is nothing to acknowledge.
      if (this.state !== 'proceeding') this.#move('ack');
      return;
    }
    // Confirmed: the peer has its answer, this is a straggler.
    if (
      this.state !== 'confirmed' &&
      this.#move('invite') &&
      (this.state === 'proceeding' || this.state === 'completed')
    )
      this.sendLast();
  }

  protected transportFailed(): void {
    // Confirmed: what could not be sent has arrived all the same.
    if (this.state !== 'confirmed') this.#move('transport-error');
  }

  protected stopTimers(): void {
    this.#repeater.cancel();
    this.#timer?.cancel();
  }

  #move(event: InviteServerEvent): boolean {
    const before = this.state;
    const next = nextState('invite-server', inviteServerTable, before, event);
    if (next === undefined) return false;
    if (next !== before) this.#change(next);
    return true;
  }

  #change(state: InviteServerState): void {
    const { timers } = this.context;
    this.stopTimers();
    this.enter(state);
    if (state === 'completed') {
      if (!this.flow.reliable)
        this.#repeater.start(timers.t1Ms, timers.t2Ms, () => {
          if (this.#move('timer-g')) this.sendLast();
        });
      this.#after(patienceMs(timers), 'timer-h');
    } else if (state === 'confirmed') this.#after(this.flow.reliable ? 0 : timers.t4Ms, 'timer-i');
    else if (state === 'accepted') this.#after(patienceMs(timers), 'timer-l');
  }

  #after(delayMs: number, event: InviteServerEvent): void {
    this.#timer = this.context.clock.after(delayMs, () => void this.#move(event));
  }
}
