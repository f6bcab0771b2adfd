import type { Clock, Timer } from '../clock.ts';

/** RFC 3261 section 17.1.1.1 and table 4. */
export interface SipTimers {
  /** Round-trip estimate. */
  readonly t1Ms: number;
  /** Longest interval between retransmissions of a non-INVITE request or a response to INVITE. */
  readonly t2Ms: number;
  /** Longest time a message stays in the network. */
  readonly t4Ms: number;
}

export const standardTimers: SipTimers = { t1Ms: 500, t2Ms: 4000, t4Ms: 5000 };

/** Timers B, F, H, J, L, M and the patience for an ACK: 64*T1. */
export function patienceMs(timers: SipTimers): number {
  return 64 * timers.t1Ms;
}

/** Calls an action at doubling intervals until it is cancelled. */
export class Repeater {
  readonly #clock: Clock;
  #timer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  start(firstMs: number, capMs: number, action: () => void): void {
    this.cancel();
    this.#timer = this.#clock.after(firstMs, () => {
      this.start(Math.min(firstMs * 2, capMs), capMs, action);
      action();
    });
  }

  cancel(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
