import { AssertionError } from 'node:assert';
import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../clock.ts';
import { sleep, systemClock } from '../clock.ts';
import type { OpenResources } from './open-resources.ts';
import { openResources } from './open-resources.ts';

/** Reading them opens them. */
const ownReading = /^\/proc\//;

/** What `after` holds and `before` did not, one line each. */
export function leakedSince(before: OpenResources, after: OpenResources): string[] {
  return [
    ...added(before.udpPorts, after.udpPorts).map((port) => `UDP port ${port}`),
    ...added(before.tcpListenPorts, after.tcpListenPorts).map((port) => `listening TCP port ${port}`),
    ...added(before.tcpConnections, after.tcpConnections).map((connection) => `TCP connection ${connection}`),
    ...added(before.files, after.files)
      .filter((path) => !ownReading.test(path))
      .map((path) => `open file ${path}`),
    ...more(before.others, after.others).map((line) => `descriptor ${line}`),
    ...more(before.eventLoop, after.eventLoop).map((line) => `event loop ${line}`),
  ];
}

export interface LeakCheckOptions {
  /** How long closing may take. */
  timeoutMs?: number;
  clock?: Clock;
  /** Lines to let pass, such as a connection pool that may grow. */
  allow?: (line: string) => boolean;
}

const pollMs = 50;
const loopHold = new MessageChannel();
loopHold.port1.unref();

/**
 * Waits until the process of `before` holds nothing more than it did then.
 * @throws AssertionError with every leaked port, connection, file, descriptor and timer
 */
export async function assertNoLeak(before: OpenResources, options: LeakCheckOptions = {}): Promise<void> {
  const { timeoutMs = 30_000, clock = systemClock, allow = () => false } = options;
  const deadlineUs = clock.monotonicUs() + timeoutMs * 1000;
  for (;;) {
    // The microtask and check phases of whatever was closed just now.
    await setImmediate();
    const leaked = leakedSince(before, openResources(before.pid)).filter((line) => !allow(line));
    if (leaked.length === 0) return;
    if (clock.monotonicUs() >= deadlineUs)
      throw new AssertionError({
        message: `process ${before.pid} leaks ${leaked.length} resources: ${leaked.slice(0, 20).join('; ')}`,
        stackStartFn: assertNoLeak,
      });
    await sleepHoldingLoop(clock, pollMs);
  }
}

/** The clock's timers let an idle process end; here the process may be idle exactly because nothing leaks. */
async function sleepHoldingLoop(clock: Clock, delayMs: number): Promise<void> {
  loopHold.port1.ref();
  await sleep(clock, delayMs);
  loopHold.port1.unref();
}

/** Difference of two multisets. */
function added<T>(before: readonly T[], after: readonly T[]): T[] {
  const rest = [...before];
  return after.filter((item) => {
    const at = rest.indexOf(item);
    if (at >= 0) rest.splice(at, 1);
    return at < 0;
  });
}

function more(before: Record<string, number>, after: Record<string, number>): string[] {
  return Object.entries(after)
    .filter(([kind, count]) => count > (before[kind] ?? 0))
    .map(([kind, count]) => `${kind}: ${count} instead of ${before[kind] ?? 0}`);
}
