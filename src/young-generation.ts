import { PerformanceObserver } from 'node:perf_hooks';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/** Of a thread, in MB; V8 takes up to three times that. */
const semiSpaceMb = { min: 1, max: 2 };
/** Of the main thread of the server: of all of it. */
const mainBytes = 4 << 20;

/**
 * Bounds the garbage that waits to be collected, of this thread and of all that are started from now on. By itself V8
 * lets the young generation of a busy thread grow to 64 MB, and a process has half a dozen of them: more than hundreds
 * of calls need. That of this thread stays as it began, at 1 MB, and so do those of threads that are started then: by
 * itself V8 begins with half of that where it is to mind its size. So little is collected sooner by its own thread alone
 * than with the help of others, which must wait for a processor on a busy machine.
 */
export function boundYoungGeneration(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--no-parallel-scavenge');
  setFlagsFromString(`--min-semi-space-size=${semiSpaceMb.min}`);
  setFlagsFromString(`--max-semi-space-size=${semiSpaceMb.max}`);
}

/**
 * That of this thread grows to some MB where what it makes lives for longer than 1 MB lasts: the messages and queries of
 * calls that are being set up, which would all be copied to the old generation.
 */
export function letYoungGenerationGrow(): void {
  setFlagsFromString('--semi-space-growth-factor=2');
  const observer = new PerformanceObserver(() => {
    if (youngBytes() < mainBytes) return;
    setFlagsFromString('--semi-space-growth-factor=1');
    observer.disconnect();
  });
  observer.observe({ entryTypes: ['gc'] });
}

function youngBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')?.space_size ?? 0;
}
