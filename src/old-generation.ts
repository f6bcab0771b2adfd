import { setFlagsFromString } from 'node:v8';

/** Of what a collection left, in percent; V8 lets 2 MB come in any case, and 8 MB where it is not to mind its size. */
const growthPercent = 30;

/**
 * Bounds the garbage that waits in the old generation, of this thread and of all that are started from now on, array
 * buffers among it. By itself V8 collects it when it has become up to four times what was left: with half a dozen
 * threads that was more than all that calls keep.
 */
export function boundOldGeneration(): void {
  setFlagsFromString('--optimize-for-size');
  setFlagsFromString(`--heap-growing-percent=${growthPercent}`);
  // V8 would collect all of it twice more when a thread does little, each time as dear as any: `collectWhenQuiet` does
  // so where there is something to be found. A main thread has its reducer already: that is told to collect never.
  setFlagsFromString('--no-memory-reducer');
  setFlagsFromString('--memory-reducer-gc-count=0');
}
