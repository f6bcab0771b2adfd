import type { ProcessUsage } from './control.ts';

/** Of this process, whichever of its threads asks. */
export function processUsage(): ProcessUsage {
  const { user, system } = process.cpuUsage();
  return { cpuUs: user + system, residentBytes: process.memoryUsage.rss() };
}
