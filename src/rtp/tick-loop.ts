import type { Clock, Timer } from '../clock.ts';
import { TickHistogram } from './tick-histogram.ts';

export interface TickLateness {
  /** More than a period late, and those that such a one took the place of: a loop that only comes every 30 ms is late. */
  lateTicks: number;
  maxLatenessUs: number;
  /** Of every tick; made by the loop. */
  histogram?: TickHistogram;
}

/** What a turn of the loop does, in order; called by the loop itself, so that no step stands on another's stack. */
export interface TickSteps {
  begin?(): void;
  receiver: { receive(): void };
  ticks: readonly ((nowUs: number) => void)[];
  /** Also after a step that threw. */
  send(): void;
  /** Holds up the thread; without it every turn is one of the event loop too. */
  sleep?: { until(monotonicUs: number): void } | undefined;
  /** Behind a turn: nothing waits for the event loop. */
  mayStay?(): boolean;
}

/**
 * Turns within one of the event loop, as long as nothing waits for that: it takes as long as what a turn with little to do
 * has to do. So long waits what nobody told of, the collector's steps, say.
 */
const maxTurnsAtOnce = 8;

/**
 * Runs its steps on absolute deadlines, the multiples of the period on the monotonic clock: a turn that was late
 * does not shift the next. Deadlines that passed meanwhile are not caught up one by one; the ticks go by their
 * `nowUs`, and `lateness` tells. The thread waits for the next deadline in the event loop or, where it may, without it.
 */
export class TickLoop {
  readonly #clock: Clock;
  readonly #periodUs: number;
  readonly #steps: TickSteps;
  readonly #lateness: TickLateness;
  readonly #histogram: TickHistogram;
  #deadlineUs: number;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(clock: Clock, periodUs: number, lateness: TickLateness, steps: TickSteps) {
    this.#clock = clock;
    this.#periodUs = periodUs;
    this.#lateness = lateness;
    this.#histogram = lateness.histogram ??= new TickHistogram();
    this.#steps = steps;
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
    try {
      this.#turn(nowUs);
      for (let turns = 1; turns < maxTurnsAtOnce && this.#sleeps(); turns++)
        this.#turn(this.#clock.monotonicUs());
    } finally {
      this.#arm();
    }
  }

  /** @returns whether the next deadline has come, without the event loop */
  #sleeps(): boolean {
    const { sleep } = this.#steps;
    if (!sleep || this.#stopped || !this.#steps.mayStay?.()) return false;
    sleep.until(this.#deadlineUs);
    return this.#clock.monotonicUs() >= this.#deadlineUs;
  }

  #turn(nowUs: number): void {
    const latenessUs = nowUs - this.#deadlineUs;
    this.#histogram.add(latenessUs);
    if (latenessUs > this.#periodUs) this.#lateness.lateTicks += Math.floor(latenessUs / this.#periodUs);
    if (latenessUs > this.#lateness.maxLatenessUs) this.#lateness.maxLatenessUs = latenessUs;
    try {
      this.#steps.begin?.();
      this.#steps.receiver.receive();
      // Nothing that was received came later than that.
      const tickUs = this.#clock.monotonicUs();
      for (const tick of this.#steps.ticks) tick(tickUs);
    } finally {
      this.#steps.send();
      this.#deadlineUs = this.#nextDeadline(nowUs);
    }
  }
}
