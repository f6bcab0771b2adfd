import { TestClock } from 'pg-boss';
import { systemClock } from '../../src/clock.ts';
import type { DeliveryTime } from '../../src/delivery/jobs.ts';

/** Time of what is delivered and tried again; it stands still until it is set on. Polls come soon. */
export function drivenDeliveryTime(): DeliveryTime & { forward(seconds: number): Promise<void> } {
  const jobs = new TestClock();
  const clock = {
    ...systemClock,
    unixMs: () => jobs.now(),
    after: (delayMs: number, action: () => void) => systemClock.after(Math.min(delayMs, 100), action),
  };
  return {
    clock,
    jobs,
    forward: async (seconds) => {
      await jobs.setTime(jobs.now() + seconds * 1000);
    },
  };
}
