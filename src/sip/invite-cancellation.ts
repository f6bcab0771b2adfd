import type { Timer } from '../clock.ts';
import { nextState, type TransitionTable } from '../state-machine.ts';
import type { ClientRequest } from './client-request.ts';
import { patienceMs } from './timers.ts';
import type { TransactionContext } from './transaction.ts';

export type CancellationState = 'none' | 'wanted' | 'sent' | 'over';
export type CancellationEvent = 'ask-early' | 'ask' | 'timer' | 'stop';

/** RFC 3261 section 9.1. */
export const cancellationTable: TransitionTable<CancellationState, CancellationEvent> = {
  none: {
    'ask-early': 'wanted', // 9.1: no provisional response yet: the CANCEL waits for one
    ask: 'sent', // 9.1: a CANCEL in a transaction of its own
    stop: 'over', // 12.3: the call was answered, or is abandoned
  },
  wanted: {
    'ask-early': 'wanted', // 9.1: still none
    ask: 'sent', // 9.1: now there is one
    stop: 'over', // 12.3
  },
  sent: {
    timer: 'over', // 9.1: no final response for 64*T1: the INVITE counts as cancelled
    stop: 'over', // 12.3
  },
  over: {},
};

export type Cancellable = Pick<ClientRequest, 'cancellable' | 'cancel' | 'terminate'>;

/** The CANCEL of an INVITE of ours (RFC 3261 section 9.1). */
export class InviteCancellation {
  readonly #context: TransactionContext;
  readonly #cancelled: () => void;
  #state: CancellationState = 'none';
  #timer: Timer | undefined;

  /** @param cancelled the INVITE counts as cancelled, though nothing was said of it */
  constructor(context: TransactionContext, cancelled: () => void) {
    this.#context = context;
    this.#cancelled = cancelled;
  }

  /** It has to wait for a provisional response. */
  get wanted(): boolean {
    return this.#state === 'wanted';
  }

  /** Once: whoever asks again has asked already. */
  cancel(request: Cancellable): void {
    if (this.#state === 'sent' || this.#state === 'over') return;
    if (!request.cancellable) {
      this.#move('ask-early');
      return;
    }
    this.#move('ask');
    request.cancel();
    const { clock, timers } = this.#context;
    this.#timer = clock.after(patienceMs(timers), () => {
      this.#move('timer');
      // Its final response came, and ended it.
      if (!request.cancellable) return;
      request.terminate();
      this.#cancelled();
    });
  }

  stop(): void {
    this.#timer?.cancel();
    if (this.#state !== 'over') this.#move('stop');
  }

  #move(event: CancellationEvent): void {
    this.#state = nextState('invite-cancellation', cancellationTable, this.#state, event) ?? this.#state;
  }
}
