import { type Clock, systemClock } from '../../src/clock.ts';

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

/** Makes the system clock of this thread tell `threadUs`; timers are the machine's. */
export function replaceSystemClock(): void {
  systemClock.monotonicUs = threadUs;
  systemClock.unixMs = () =>
    machineClock.unixMs() + Math.round((threadUs() - machineClock.monotonicUs()) / 1000);
}
