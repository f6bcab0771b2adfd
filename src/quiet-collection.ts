import { constants, PerformanceObserver } from 'node:perf_hooks';
import { getHeapSpaceStatistics, type HeapSpaceInfo, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Clock } from './clock.ts';

const everyMs = 5000;
/** SIP forgets the transactions of a call that was set up 32 s behind its answer. */
const quietMs = 40_000;
/** In the old generation between two looks: calls that are set up, ten in a second, make more; hundreds that run less. */
const quietBytes = 2 << 20;
/** Less is not worth it, as a collection looks at all that is kept; V8 by itself lets come less of a small heap. */
const least = { bytes: 3 << 20, share: 1 / 8 };
/** From the end of one to what follows. */
const usualPauseMs = 60_000;
/** V8 chooses the pages to be emptied as it begins to mark: what the first one frees, the second moves together. */
const maxCollections = 2;
/** V8 begins where so much came to the old generation of what it would wait for. */
const soonPercent = 1;
/** Of the old generation, made for that: nothing else need have come to it since the collection before. */
const heldShare = 1 / 100;
/** For the beginning and all of a collection. While it lasts other threads of the process collect sooner, too. */
const longestMs = 2000;
/** More than a young generation, whose end has V8 look at the old one; again where it did not begin. */
const wakingArrays = 2500;
const wakingItems = 128;
const wakeEveryMs = 250;

export interface QuietOptions {
  /** From the end of one collection to the next that no burst made due: of a thread whose pauses somebody hears. */
  pauseMs?: number;
  /** In one pause, as nobody waits for this thread: for less time of the processors, and of this thread alone. */
  atOnce?: boolean;
}

/**
 * Collects the old generation of this thread once it grew by some MB and has been quiet since: what hundreds of calls
 * leave that were set up, or have ended, would wait until as many come again, what hundreds make as they go on for
 * minutes, and so would the room between what is kept. Where somebody waits for the thread, V8 is made to begin sooner,
 * and does as ever: in steps, most of it by its helper threads.
 */
export function collectWhenQuiet(clock: Clock, options: QuietOptions = {}): void {
  const watch = new QuietWatch(options);
  let collecting = false;
  const ended = (collected: boolean): void => {
    collecting = false;
    watch.ended(collected, clock.monotonicUs() / 1000);
  };
  const look = (): void => watch.look(oldBytes(), clock.monotonicUs() / 1000);
  const again = (): void => {
    look();
    if (watch.isDue && !collecting) {
      collecting = true;
      if (options.atOnce) {
        collectAtOnce();
        ended(true);
      } else collectSoon(clock, maxCollections, ended);
    }
    clock.after(everyMs, again);
  };
  look();
  clock.after(everyMs, again);
}

/** Knows when a thread made much of what is kept for a while, and then no more for long enough. */
export class QuietWatch {
  /** Of the first look on: what was read in before is kept. */
  #lastBytes: number | undefined;
  #grownBytes = 0;
  readonly #pauseMs: number;
  /** When it grew by more than little last. */
  #busyMs = Number.NEGATIVE_INFINITY;
  #nowMs = 0;
  #endedMs = Number.NEGATIVE_INFINITY;

  constructor({ pauseMs = usualPauseMs }: QuietOptions = {}) {
    this.#pauseMs = pauseMs;
  }

  /** @param bytes of the old generation, garbage among it */
  look(bytes: number, nowMs: number): void {
    const grownBytes = bytes - (this.#lastBytes ?? bytes);
    this.#lastBytes = bytes;
    this.#nowMs = nowMs;
    if (grownBytes > 0) this.#grownBytes += grownBytes;
    if (grownBytes > quietBytes) this.#busyMs = nowMs;
  }

  get isDue(): boolean {
    const pauseMs = this.#busyMs > this.#endedMs ? usualPauseMs : this.#pauseMs;
    const isQuiet = this.#nowMs - this.#busyMs >= quietMs && this.#nowMs - this.#endedMs >= pauseMs;
    return isQuiet && isWorthIt(this.#grownBytes, this.#lastBytes ?? 0);
  }

  /** @param collected false: another thread has kept it from that, or there was no time; not before a minute again */
  ended(collected: boolean, nowMs: number): void {
    if (collected) this.#grownBytes = 0;
    this.#endedMs = nowMs;
  }
}

function isWorthIt(bytes: number, keptBytes: number): boolean {
  return bytes >= Math.max(least.bytes, least.share * keptBytes);
}

function collectAtOnce(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let made = 0; made === 0 || (made < maxCollections && isWorthIt(looseBytes(), oldBytes())); made++)
    collect();
}

/** @param done with whether all there was to collect is: another thread may have ended the flag before */
function collectSoon(clock: Clock, collections: number, done: (collected: boolean) => void): void {
  const end = (collected: boolean): void => {
    observer.disconnect();
    timeout.cancel();
    waking.cancel();
    setTrigger(0);
    if (collected && collections > 1 && isWorthIt(looseBytes(), oldBytes()))
      collectSoon(clock, collections - 1, done);
    else done(collected);
  };
  const timeout = clock.after(longestMs, () => end(false));
  const observer = new PerformanceObserver((list) => {
    if (list.getEntries().some(isMajor)) end(true);
  });
  observer.observe({ entryTypes: ['gc'] });
  setTrigger(soonPercent);
  const held: unknown[] = [];
  const maxHeld = (oldBytes() * heldShare) / (8 * wakingItems);
  let waking = clock.after(0, wake);
  function wake(): void {
    for (let made = 0; made < wakingArrays; made++) {
      const array = new Array(wakingItems).fill(made);
      if (held.length < maxHeld) held.push(array);
    }
    waking = clock.after(wakeEveryMs, wake);
  }
}

/** Of all threads of the process; 0 is V8's own way. */
function setTrigger(percent: number): void {
  setFlagsFromString(`--incremental-marking-soft-trigger=${percent}`);
}

function isMajor(entry: PerformanceEntry): boolean {
  const { detail } = entry as PerformanceEntry & { detail: { kind: number } };
  return detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR;
}

function oldBytes(): number {
  return sumOfOldSpaces(({ space_used_size: used }) => used);
}

function looseBytes(): number {
  return sumOfOldSpaces(({ space_size: size, space_used_size: used }) => size - used);
}

function sumOfOldSpaces(bytes: (space: HeapSpaceInfo) => number): number {
  return getHeapSpaceStatistics()
    .filter(({ space_name: name }) => !name.startsWith('new_'))
    .reduce((sum, space) => sum + bytes(space), 0);
}
