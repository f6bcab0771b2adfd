import type { Timer } from '../clock.ts';
import { nextState, type TransitionTable } from '../state-machine.ts';
import type { SipRequest } from './message.ts';
import type { OutgoingResponse } from './serializer.ts';
import { responseClass } from './status.ts';
import { patienceMs, Repeater } from './timers.ts';
import type { Transaction, TransactionContext } from './transaction.ts';
import type { Flow } from './transport.ts';

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
    ack: 'proceeding', // matches nothing sent yet, absorbed
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
    invite: 'confirmed', // 17.2.1: absorbed
    ack: 'confirmed', // 17.2.1: absorbed
    'timer-i': 'terminated', // 17.2.1
    'transport-error': 'confirmed',
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

export class InviteServerTransaction implements Transaction {
  readonly key: string;
  readonly mergeKey: string | undefined;
  readonly request: SipRequest;
  readonly flow: Flow;
  user: InviteServerUser | undefined;
  #state: InviteServerState = 'proceeding';
  readonly #context: TransactionContext;
  readonly #send: (bytes: Buffer, failed: () => void) => void;
  readonly #repeater: Repeater;
  #timer: Timer | undefined;
  #last: OutgoingResponse | undefined;

  /** @param send brings bytes back to whoever sent the request */
  constructor(
    context: TransactionContext,
    keys: { key: string; mergeKey: string | undefined },
    request: SipRequest,
    flow: Flow,
    send: (bytes: Buffer, failed: () => void) => void,
  ) {
    this.key = keys.key;
    this.mergeKey = keys.mergeKey;
    this.#context = context;
    this.request = request;
    this.flow = flow;
    this.#send = send;
    this.#repeater = new Repeater(context.clock);
  }

  get state(): InviteServerState {
    return this.#state;
  }

  get settled(): boolean {
    return this.#state === 'accepted' || this.#state === 'confirmed' || this.#state === 'terminated';
  }

  /** Sends a response of the session; ignored where the machine is past it. */
  respond(response: OutgoingResponse): void {
    if (
      this.#state !== 'proceeding' &&
      !(this.#state === 'accepted' && responseClass(response.status) === '2xx')
    )
      return;
    this.#last = response;
    this.#move(responseClass(response.status));
    this.#sendLast();
  }

  /** An INVITE again, or the ACK. */
  receive(request: SipRequest): void {
    if (this.#state === 'terminated') return;
    if (request.method === 'ACK') this.#move('ack');
    else if (this.#move('invite') && (this.#state === 'proceeding' || this.#state === 'completed'))
      this.#sendLast();
  }

  terminate(): void {
    if (this.#state === 'terminated') return;
    this.#state = 'terminated';
    this.#stop();
  }

  #sendLast(): void {
    if (this.#last === undefined) return;
    this.#send(this.#last.bytes, () => {
      if (this.#state !== 'terminated') this.#move('transport-error');
    });
  }

  #move(event: InviteServerEvent): boolean {
    const before = this.#state;
    const next = nextState('invite-server', inviteServerTable, before, event);
    if (next === undefined) return false;
    this.#state = next;
    if (next !== before) this.#enter(next);
    return true;
  }

  #enter(state: InviteServerState): void {
    const { timers } = this.#context;
    this.#repeater.cancel();
    this.#timer?.cancel();
    if (state === 'completed') {
      if (!this.flow.reliable)
        this.#repeater.start(timers.t1Ms, timers.t2Ms, () => {
          if (this.#move('timer-g')) this.#sendLast();
        });
      this.#after(patienceMs(timers), 'timer-h');
    } else if (state === 'confirmed') this.#after(this.flow.reliable ? 0 : timers.t4Ms, 'timer-i');
    else if (state === 'accepted') this.#after(patienceMs(timers), 'timer-l');
    else if (state === 'terminated') this.#stop();
  }

  #after(delayMs: number, event: InviteServerEvent): void {
    this.#timer = this.#context.clock.after(delayMs, () => void this.#move(event));
  }

  #stop(): void {
    this.#repeater.cancel();
    this.#timer?.cancel();
    this.#context.terminated(this);
  }
}
