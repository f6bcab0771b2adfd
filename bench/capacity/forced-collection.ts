import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { memoryUsage, pid } from 'node:process';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread, threadId, threadName } from 'node:worker_threads';

/**
 * Loaded by `--import` into every thread of a Callreel: each collects its whole garbage every few seconds and writes
 * down what is left. The query of this module's URL has `directory` and `seconds`.
 */
export interface HeapNote {
  thread: string;
  /** Heap and array buffers, after the last collection. */
  keptBytes: number;
  longestMs: number;
  collections: number;
}

const { searchParams } = new URL(import.meta.url);
const directory = searchParams.get('directory') ?? '';
const periodMs = Number(searchParams.get('seconds')) * 1000;

setFlagsFromString('--expose-gc');
const collectAll = runInNewContext('gc') as () => void;
const note: HeapNote = {
  ...{ thread: isMainThread ? 'main' : threadName || String(threadId) },
  ...{ keptBytes: 0, longestMs: 0, collections: 0 },
};

function collect(): void {
  const begin = performance.now();
  collectAll();
  note.longestMs = Math.max(note.longestMs, performance.now() - begin);
  note.collections++;
  const { heapUsed, arrayBuffers } = memoryUsage();
  note.keptBytes = heapUsed + arrayBuffers;
  try {
    writeFileSync(join(directory, `${pid}-${threadId}.json`), JSON.stringify(note));
  } catch (error) {
    // The bench has ended, and its directory with it.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

setInterval(collect, periodMs).unref();

// A thread that waits for its ring comes to no timer.
const { wait } = Atomics;
let dueMs = performance.now() + periodMs;
Atomics.wait = ((...args: Parameters<typeof wait>) => {
  if (performance.now() > dueMs) {
    dueMs = performance.now() + periodMs;
    collect();
  }
  return wait(...args);
}) as typeof wait;
