import { randomInt } from 'node:crypto';
import type { Timer } from '../clock.ts';
import { nextState, type TransitionTable } from '../state-machine.ts';
import { headerValue, headerValues, type SipRequest, type SipResponse } from './message.ts';
import type { OutgoingResponse } from './serializer.ts';
import type { SipHeader } from './session.ts';
import { patienceMs, Repeater } from './timers.ts';
import type { TransactionContext } from './transaction.ts';

export const reliableOption = '100rel';

export type ReliableState = 'clear' | 'unacknowledged' | 'closed';
export type ReliableEvent = 'send' | 'prack' | 'retransmit' | 'give-up' | 'final';

/** RFC 3262 section 3: one reliable provisional response at a time, until its PRACK or a final response. */
export const reliableTable: TransitionTable<ReliableState, ReliableEvent> = {
  clear: {
    send: 'unacknowledged', // 3262 3: with Require: 100rel and RSeq
    final: 'closed', // 3262 3: no reliable provisional response after a final one
  },
  unacknowledged: {
    prack: 'clear', // 3262 3: its RAck matches: retransmissions cease
    retransmit: 'unacknowledged', // 3262 3: at T1, doubling each time
    'give-up': 'closed', // 3262 3: 64*T1 without a PRACK: the INVITE is refused with a 5xx
    final: 'closed', // 3262 3: retransmissions cease
  },
  closed: {
    prack: 'closed', // 3262 3: "MUST be prepared to process PRACK requests for those outstanding responses"
  },
};

interface Waiting {
  build(headers: readonly SipHeader[]): OutgoingResponse;
  /** Its session description must have arrived before a 2xx may be sent. */
  readonly withSdp: boolean;
}

export interface ReliableUser {
  transmit(response: OutgoingResponse): void;
  /** No PRACK within 64*T1. */
  gaveUp(): void;
}

/** The reliable provisional responses to one INVITE of a peer (RFC 3262 section 3). */
export class ReliableProvisionals {
  readonly #context: TransactionContext;
  readonly #inviteSequence: number;
  readonly #user: ReliableUser;
  readonly #repeater: Repeater;
  readonly #waiting: Waiting[] = [];
  #timer: Timer | undefined;
  #state: ReliableState = 'clear';
  /** The first is below 2^31, so that it never has to wrap. */
  #sequence = randomInt(1, 2 ** 31 - 1);
  #current: Waiting | undefined;

  constructor(context: TransactionContext, inviteSequence: number, user: ReliableUser) {
    this.#context = context;
    this.#inviteSequence = inviteSequence;
    this.#user = user;
    this.#repeater = new Repeater(context.clock);
  }

  get state(): ReliableState {
    return this.#state;
  }

  /** A 2xx has to wait: a session description of ours may not have arrived. */
  get holdsAnswer(): boolean {
    return this.#current?.withSdp === true || this.#waiting.some(({ withSdp }) => withSdp);
  }

  /** Sends it now, or once the one before is acknowledged. */
  send(build: Waiting['build'], withSdp: boolean): void {
    if (this.#state === 'closed') return;
    this.#waiting.push({ build, withSdp });
    if (this.#state === 'clear') this.#sendNext();
  }

  /** @returns false where the PRACK acknowledges nothing of ours: 481 */
  acknowledge(prack: SipRequest): boolean {
    const rack = /^\s*(\d{1,10})\s+(\d{1,10})\s+(\S+)\s*$/.exec(headerValue(prack, 'rack') ?? '');
    if (rack === null || this.#current === undefined) return false;
    const [, sequence, inviteSequence, method] = rack;
    if (Number(sequence) !== this.#sequence || Number(inviteSequence) !== this.#inviteSequence) return false;
    if (method !== 'INVITE') return false;
    this.#move('prack');
    this.#current = undefined;
    this.#stop();
    if (this.#state === 'clear' && this.#waiting.length > 0) this.#sendNext();
    return true;
  }

  /** A final response was sent. */
  close(): void {
    this.#stop();
    this.#waiting.length = 0;
    if (this.#state !== 'closed') this.#move('final');
  }

  #sendNext(): void {
    this.#current = this.#waiting.shift();
    if (this.#current === undefined || !this.#move('send')) return;
    const { timers, clock } = this.#context;
    this.#sequence++;
    const response = this.#current.build([
      { name: 'Require', value: reliableOption },
      { name: 'RSeq', value: String(this.#sequence) },
    ]);
    this.#user.transmit(response);
    this.#repeater.start(timers.t1Ms, Number.POSITIVE_INFINITY, () => {
      if (this.#move('retransmit')) this.#user.transmit(response);
    });
    this.#timer = clock.after(patienceMs(timers), () => {
      this.#stop();
      if (this.#move('give-up')) this.#user.gaveUp();
    });
  }

  #stop(): void {
    this.#repeater.cancel();
    this.#timer?.cancel();
  }

  #move(event: ReliableEvent): boolean {
    const next = nextState('reliable-provisional', reliableTable, this.#state, event);
    if (next === undefined) return false;
    this.#state = next;
    return true;
  }
}

/** Whether an INVITE asks that every provisional response to it be reliable. */
export function requiresReliable(request: SipRequest): boolean {
  return headerValues(request, 'require').some((option) => option.toLowerCase() === reliableOption);
}

/**
 * The order of the reliable provisional responses of one early dialog (RFC 3262 section 4): the first sets the number,
 * what is not the next one is not acknowledged.
 */
export class ProvisionalOrder {
  #last: number | undefined;

  /**
   * @returns the RAck value for a response that is to be acknowledged; `drop` for one that came before or too early;
   * undefined for an unreliable one
   */
  receive(response: SipResponse): { rack: string } | 'drop' | undefined {
    if (response.status <= 100 || response.status >= 200) return undefined;
    const required = headerValues(response, 'require').some(
      (option) => option.toLowerCase() === reliableOption,
    );
    const rseq = /^\s*(\d{1,10})\s*$/.exec(headerValue(response, 'rseq') ?? '');
    if (!required || rseq === null) return undefined;
    const number = Number(rseq[1]);
    if (this.#last !== undefined && number !== this.#last + 1) return 'drop';
    this.#last = number;
    return { rack: `${number} ${response.cseq.sequence} INVITE` };
  }
}
