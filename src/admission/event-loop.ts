import { performance } from 'node:perf_hooks';

/** In which this thread's loop worked, since it began. */
export function eventLoopBusySeconds(): number {
  return performance.eventLoopUtilization().active / 1000;
}

/** @returns a function that says of the time since it was asked last in which share of it this thread's loop worked, 0..1 */
export function eventLoopBusyShare(): () => number {
  let last = performance.eventLoopUtilization();
  return () => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, last);
    last = now;
    return utilization;
  };
}
