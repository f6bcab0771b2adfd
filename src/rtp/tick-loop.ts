import type { Clock, Timer } from '../clock.ts';

export interface TickLateness {
  lateTicks: number;
  maxLatenessUs: number;
}

/**
 * Runs an action on absolute deadlines, the multiples of the period on the monotonic clock: an action that was late
 * does not shift the next. Deadlines that passed meanwhile are not caught up one by one; the action goes by its
 * `nowUs`, and `lateness` tells.
 */
export class TickLoop {
  readonly #clock: Clock;
  readonly #periodUs: number;
  readonly #action: (nowUs: number) => void;
  readonly #lateness: TickLateness;
  #deadlineUs: number;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(clock: Clock, periodUs: number, lateness: TickLateness, action: (nowUs: number) => void) {
    this.#clock = clock;
    this.#periodUs = periodUs;
    this.#lateness = lateness;
    this.#action = action;
    this.#deadlineUs = this.#nextDeadline(clock.monotonicUs());
    this.#arm();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /** Deadlines lie on whole milliseconds, where the system's timers lie too. */
  #nextDeadline(nowUs: number): number {
    return (Math.floor(nowUs / this.#periodUs) + 1) * this.#periodUs;
  }

  #arm(): void {
    if (this.#stopped) return;
    const remainingMs = Math.ceil((this.#deadlineUs - this.#clock.monotonicUs()) / 1000);
    this.#timer = this.#clock.after(Math.max(0, remainingMs), () => this.#fire());
  }

  #fire(): void {
    const nowUs = this.#clock.monotonicUs();
    if (nowUs < this.#deadlineUs) {
      this.#arm();
      return;
    }
    const latenessUs = nowUs - this.#deadlineUs;
    if (latenessUs > this.#periodUs) this.#lateness.lateTicks++;
    if (latenessUs > this.#lateness.maxLatenessUs) this.#lateness.maxLatenessUs = latenessUs;
    try {
      this.#action(nowUs);
    } finally {
      this.#deadlineUs = this.#nextDeadline(nowUs);
      this.#arm();
    }
  }
}
