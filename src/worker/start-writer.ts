import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { createRing, wakeConsumer } from '../spool/ring.ts';
import type { WriterRequest, WriterThreadData } from './writer-thread.ts';

export type { WriterReport, WriterRequest } from './writer-thread.ts';

/**
 * How long a stalled disk may last before packets are lost: a recorded G.711 leg takes 9.2 kB/s of it, so 100 legs
 * have 36 seconds and 500 legs 7.
 */
export const defaultRingBytes = 32 * 1024 * 1024;

export interface WriterThreadOptions {
  spoolDirectory: string;
  /** Unique among all workers whose journals may still exist: new for each start. */
  workerId: string;
  ringBytes?: number;
}

export interface WriterThread {
  readonly worker: Worker;
  /** For `SpoolProducer`; one thread writes into it. */
  readonly ring: SharedArrayBuffer;
  /** `WriterReport`s come out of it, by listener or by `receiveMessageOnPort`; it may be handed to another thread. */
  readonly port: MessagePort;
}

export function startWriterThread(options: WriterThreadOptions): WriterThread {
  const { spoolDirectory, workerId, ringBytes = defaultRingBytes } = options;
  const ring = createRing(ringBytes);
  const { port1, port2 } = new MessageChannel();
  const data: WriterThreadData = { ring, port: port2, spoolDirectory, workerId };
  const worker = new Worker(new URL('./writer-thread.ts', import.meta.url), {
    workerData: data,
    transferList: [port2],
    name: 'spool-writer',
  });
  return { worker, ring, port: port1 };
}

/** Answered in the thread's next turn, which comes within 80 ms; the end of all at once. */
export function askWriter(
  { port, ring }: Pick<WriterThread, 'port' | 'ring'>,
  ...requests: WriterRequest[]
): void {
  port.postMessage(requests);
  if (requests.some((request) => 'drain' in request)) wakeConsumer(ring);
}
