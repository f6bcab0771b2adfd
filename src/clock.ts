/**
 * The one place that reads time. Everything else takes a `Clock`, so that a test can run an hour in milliseconds.
 */
export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Unix time in milliseconds, may step when the operator sets the machine's clock. */
  unixMs(): number;
  /** Monotonic time in microseconds; the same origin for every process and thread of one boot. */
  monotonicUs(): number;
  /** Runs `action` once, not before `delayMs` have passed, or `longestDelayMs`. Timers never keep a draining process alive. */
  after(delayMs: number, action: () => void): Timer;
}

/** 24 days: Node's timers know no more, and a longer delay were over at once. */
export const longestDelayMs = 2 ** 31 - 1;

/** A closure for each would take three times the memory, and there are several of each call. */
class SystemTimer implements Timer {
  readonly #handle: NodeJS.Timeout;

  constructor(handle: NodeJS.Timeout) {
    this.#handle = handle;
  }

  cancel(): void {
    clearTimeout(this.#handle);
  }
}

/** Milliseconds between the Unix epoch and the monotonic origin are not constant; never subtract across the two. */
export const systemClock: Clock = {
  unixMs: () => Date.now(),
  monotonicUs: () => Number(process.hrtime.bigint() / 1000n),
  after(delayMs, action) {
    const handle = setTimeout(action, Math.min(delayMs, longestDelayMs));
    handle.unref();
    return new SystemTimer(handle);
  },
};

export function sleep(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => clock.after(delayMs, resolve));
}

/** @returns undefined where the answer takes longer; @throws what it fails with before that */
export async function within<Answer>(
  clock: Clock,
  limitMs: number,
  answer: Promise<Answer>,
): Promise<Answer | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  const timer = clock.after(limitMs, () => resolve(undefined));
  try {
    return await Promise.race([answer, late]);
  } finally {
    timer.cancel();
  }
}

interface PendingTimer {
  dueUs: number;
  order: number;
  action: () => void;
}

/** A clock that moves only when told to; timers fire in order of their due time, then of their creation. */
export class FakeClock implements Clock {
  #nowUs: number;
  readonly #startUs: number;
  readonly #startUnixMs: number;
  #order = 0;
  readonly #timers = new Set<PendingTimer>();

  constructor({ unixMs = 1_790_000_000_000, monotonicUs = 1_000_000_000 } = {}) {
    this.#startUnixMs = unixMs;
    this.#startUs = monotonicUs;
    this.#nowUs = monotonicUs;
  }

  unixMs(): number {
    return this.#startUnixMs + Math.floor((this.#nowUs - this.#startUs) / 1000);
  }

  monotonicUs(): number {
    return this.#nowUs;
  }

  after(delayMs: number, action: () => void): Timer {
    const timer = { dueUs: this.#nowUs + delayMs * 1000, order: this.#order++, action };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }

  /** How many timers are armed: a test's way to find a leaked one. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  advanceMs(deltaMs: number): void {
    this.advanceUs(deltaMs * 1000);
  }

  advanceUs(deltaUs: number): void {
    const untilUs = this.#nowUs + deltaUs;
    for (let next = this.#nextDue(untilUs); next; next = this.#nextDue(untilUs)) {
      this.#timers.delete(next);
      this.#nowUs = Math.max(this.#nowUs, next.dueUs);
      next.action();
    }
    this.#nowUs = untilUs;
  }

  #nextDue(untilUs: number): PendingTimer | undefined {
    let first: PendingTimer | undefined;
    for (const timer of this.#timers) {
      if (timer.dueUs > untilUs) continue;
      if (!first || timer.dueUs < first.dueUs || (timer.dueUs === first.dueUs && timer.order < first.order))
        first = timer;
    }
    return first;
  }
}
