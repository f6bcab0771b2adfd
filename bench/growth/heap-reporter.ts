import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { getHeapSpaceStatistics, getHeapStatistics, setFlagsFromString, writeHeapSnapshot } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread, threadName } from 'node:worker_threads';

/** One line of JSON each way. */
export interface HeapOrder {
  /** Directory of a heap snapshot. */
  snapshots?: string | undefined;
}

/** Of one thread, once all garbage is collected. */
export interface HeapReport {
  /** Without compiled code: what runs seldom is compiled late, and again. */
  heapBytes: number;
  /** Array buffers and the like. */
  externalBytes: number;
}

const codeSpaces = /^(code|trusted)/;

/** Of other processes that the server starts, nothing is asked. */
function threadOf(script: string): string | undefined {
  if (!isMainThread) return threadName || 'unnamed';
  if (script.endsWith('/src/main.ts')) return 'server';
  return script.endsWith('/worker-process.ts') ? 'media worker' : undefined;
}

/**
 * Loaded by `--import` into a Callreel: every thread of it tells, when asked, what it keeps. A thread that sleeps in
 * Atomics.wait (the spool's writer) has no ear. The query of this module's URL names the port of `heap-watch.ts`.
 */
async function report(port: number, name: string): Promise<void> {
  const socket = connect({ host: '127.0.0.1', port });
  socket.unref();
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(`${name}\n`);
  for await (const line of createInterface({ input: socket })) {
    const { snapshots } = JSON.parse(line) as HeapOrder;
    collect();
    const { external_memory: externalBytes } = getHeapStatistics();
    const heapBytes = getHeapSpaceStatistics()
      .filter(({ space_name }) => !codeSpaces.test(space_name))
      .reduce((sum, { space_used_size }) => sum + space_used_size, 0);
    if (snapshots !== undefined)
      writeHeapSnapshot(`${snapshots}/${name.replaceAll(/\W+/g, '-')}-${Date.now()}.heapsnapshot`);
    socket.write(`${JSON.stringify({ heapBytes, externalBytes } satisfies HeapReport)}\n`);
  }
}

/** Twice: what the first finds unreachable may have held more until its finalizers ran. */
function collect(): void {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  gc();
  gc();
}

const name = threadOf(process.argv[1] ?? '');
if (name !== undefined) void report(Number(new URL(import.meta.url).searchParams.get('port')), name);
