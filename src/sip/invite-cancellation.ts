import type { Timer } from '../clock.ts';
import type { ClientRequest } from './client-request.ts';
import { patienceMs } from './timers.ts';
import type { TransactionContext } from './transaction.ts';

/** The CANCEL of an INVITE of ours (RFC 3261 section 9.1). */
export class InviteCancellation {
  readonly #context: TransactionContext;
  readonly #cancelled: () => void;
  #wanted = false;
  #timer: Timer | undefined;

  /** @param cancelled the INVITE counts as cancelled, though nothing was said of it */
  constructor(context: TransactionContext, cancelled: () => void) {
    this.#context = context;
    this.#cancelled = cancelled;
  }

  /** It has to wait for a provisional response. */
  get wanted(): boolean {
    return this.#wanted;
  }

  cancel(request: ClientRequest): void {
    if (!request.cancellable) {
      this.#wanted = true;
      return;
    }
    this.#wanted = false;
    request.cancel();
    // No final response for 64*T1 after the CANCEL.
    const { clock, timers } = this.#context;
    this.#timer = clock.after(patienceMs(timers), () => {
      if (!request.cancellable) return;
      request.terminate();
      this.#cancelled();
    });
  }

  stop(): void {
    this.#timer?.cancel();
  }
}
