import { type MessagePort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { systemClock } from '../clock.ts';
import { RingConsumer } from '../spool/ring.ts';
import { SpoolWriter, type WriterMessage } from '../spool/writer.ts';

/** The writer thread of one media worker: it alone touches the disk. Started by `start-writer`. */
export interface WriterThreadData {
  ring: SharedArrayBuffer;
  port: MessagePort;
  spoolDirectory: string;
  workerId: string;
}

export type WriterRequest =
  /** Answered by `settled` once everything spooled so far of the conversations is in their files. */
  | { settle: readonly string[]; reply: number }
  /** Answered by `drained` once all recordings are ended and everything is on disk; then the thread ends. */
  | { drain: true };

/** `settled` of all that were asked for before a turn. */
export type WriterReport = WriterMessage | { event: 'settled'; replies: number[] } | { event: 'drained' };

/**
 * From the beginning of a turn to that of the next, however long the disk takes in between: what a SIGKILL can take is
 * this, plus the time of one write. A turn costs much the same however little it has.
 */
const turnUs = 80_000;
const stalledPauseMs = 20;
/** One flush at least every so many bytes, so that a full ring does not become one huge write. */
const maxBytesPerFlush = 4 * 1024 * 1024;

const { ring: shared, port, spoolDirectory, workerId } = workerData as WriterThreadData;
const ring = new RingConsumer(shared);
const nobody = new Int32Array(new SharedArrayBuffer(4));
const post = (report: WriterReport): void => port.postMessage(report);
const writer = new SpoolWriter({ spoolDirectory, workerId, clock: systemClock, post });
let draining = false;

/** What comes meanwhile waits for the next turn. */
function takeTurn(): void {
  let bytes: number;
  do {
    bytes = writer.isStalled ? 0 : writer.take(ring, maxBytesPerFlush);
    writer.flush();
  } while (bytes >= maxBytesPerFlush);
}

function settle(conversationId: string): void {
  try {
    writer.settleConversation(conversationId);
  } catch (error) {
    post({ event: 'fault', message: `settling: ${String(error)}` });
  }
}

function takeRequests(): WriterRequest[] {
  const requests: WriterRequest[] = [];
  for (let next = receiveMessageOnPort(port); next; next = receiveMessageOnPort(port))
    requests.push(...(next.message as WriterRequest[]));
  return requests;
}

function answer(requests: readonly WriterRequest[]): void {
  const replies: number[] = [];
  for (const request of requests) {
    if ('drain' in request) draining = true;
    else {
      for (const conversationId of request.settle) settle(conversationId);
      replies.push(request.reply);
    }
  }
  if (replies.length > 0) post({ event: 'settled', replies });
}

let begunUs = systemClock.monotonicUs();
while (!(draining && ring.isEmpty && writer.isClean)) {
  if (writer.isStalled) Atomics.wait(nobody, 0, 0, stalledPauseMs);
  else ring.wait(draining ? 1 : Math.max(0, begunUs + turnUs - systemClock.monotonicUs()) / 1000);
  begunUs = systemClock.monotonicUs();
  // Taken before the ring is drained: what the tick thread wrote before a request was made is in it.
  const requests = takeRequests();
  takeTurn();
  answer(requests);
  ring.unsettledBytes = writer.unsettledBytes;
}
post({ event: 'drained' });
port.close();
