import { setFlagsFromString } from 'node:v8';

/** Of a thread, in MB: of each of its two halves. */
const semiSpaceMb = { min: 1, max: 2 };

/**
 * Bounds the garbage that waits to be collected, of this thread and of all that are started from now on. By itself V8
 * lets the young generation of a busy thread grow to 64 MB, and a process has half a dozen of them: more than hundreds
 * of calls need. Each begins with 1 MB: by itself V8 begins with half of that where it is to mind its size. So little is
 * collected sooner by its own thread alone than with the help of others, which must wait for a processor on a busy
 * machine. Until `letYoungGenerationsGrow` none grows.
 */
export function boundYoungGeneration(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--no-parallel-scavenge');
  setFlagsFromString(`--min-semi-space-size=${semiSpaceMb.min}`);
  setFlagsFromString(`--max-semi-space-size=${semiSpaceMb.max}`);
}

/**
 * From now on those of this process grow to 2 MB, of each thread in which much of what is made outlives 1 MB of garbage:
 * of calls that are being set up, of files and figures that many calls are waiting for. It would be copied again and
 * again, and grow old.
 */
export function letYoungGenerationsGrow(): void {
  setFlagsFromString('--semi-space-growth-factor=2');
}
