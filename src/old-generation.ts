import { setFlagsFromString } from 'node:v8';

/** Of what a collection left, in percent; V8 lets 2 MB come in any case, and 8 MB where it is not to mind its size. */
const growthPercent = 15;

/**
 * Bounds the garbage that waits in the old generation, of this thread and of all that are started from now on, array
 * buffers among it. By itself V8 collects it when it has become up to four times what was left: with half a dozen
 * threads that was more than all that calls keep.
 */
export function boundOldGeneration(): void {
  setFlagsFromString('--optimize-for-size');
  setFlagsFromString(`--heap-growing-percent=${growthPercent}`);
  // Once more, and again, after each collection of a thread that then does little: nothing is left to be found so soon.
  setFlagsFromString('--no-memory-reducer');
}
