import { type Clock, systemClock, type Timer } from '../../src/clock.ts';

/** The machine's own time, whatever is told of it below. */
export const machineClock: Clock = { ...systemClock };

/** How far this thread's time is ahead of the machine's. */
let aheadUs = 0;
/** Stands still here while time is driven by hand. */
let drivenUs: number | undefined;

export function threadUs(): number {
  return drivenUs ?? machineClock.monotonicUs() + aheadUs;
}

/** Until `release` this thread's time is what it is set to here. */
export function drive(toUs: number): void {
  drivenUs = toUs;
}

/** From here on time goes on by itself. */
export function release(): void {
  aheadUs = threadUs() - machineClock.monotonicUs();
  drivenUs = undefined;
}

interface WaitingTimer {
  dueUs: number;
  fire(): void;
}

const waiting = new Set<WaitingTimer>();

/** Timers by `threadUs`: they fire in real time, or in `passTimers`. */
function after(delayMs: number, action: () => void): Timer {
  const timer: WaitingTimer = {
    dueUs: threadUs() + delayMs * 1000,
    fire: () => {
      waiting.delete(timer);
      real.cancel();
      action();
    },
  };
  const real = machineClock.after(delayMs, timer.fire);
  waiting.add(timer);
  return {
    cancel: () => {
      waiting.delete(timer);
      real.cancel();
    },
  };
}

/** Time jumps by so much: whatever falls due in it fires, in its order. */
export function passTimers(durationUs: number): void {
  const untilUs = threadUs() + durationUs;
  for (;;) {
    const [next] = [...waiting].filter(({ dueUs }) => dueUs <= untilUs).sort((a, b) => a.dueUs - b.dueUs);
    if (!next) break;
    drive(Math.max(threadUs(), next.dueUs));
    next.fire();
  }
  drive(untilUs);
  release();
}

/** Makes timers of the system clock of this thread go by `threadUs` too. */
export function replaceTimers(): void {
  systemClock.after = after;
}

/** Makes the system clock of this thread tell `threadUs`; timers are the machine's. */
export function replaceSystemClock(): void {
  systemClock.monotonicUs = threadUs;
  systemClock.unixMs = () =>
    machineClock.unixMs() + Math.round((threadUs() - machineClock.monotonicUs()) / 1000);
}
