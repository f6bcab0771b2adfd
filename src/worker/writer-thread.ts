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
  /** Answered by `settled` once everything spooled so far of the conversation is in its files. */
  | { settle: string; reply: number }
  /** Answered by `drained` once all recordings are ended and everything is on disk; then the thread ends. */
  | { drain: true };

export type WriterReport = WriterMessage | { event: 'settled'; reply: number } | { event: 'drained' };

/** What a SIGKILL can take is this, plus the time of one write. */
const flushEveryMs = 60;
const stalledPauseMs = 20;
/** One flush at least every so many bytes, so that a full ring does not become one huge write. */
const maxBytesPerFlush = 4 * 1024 * 1024;

const { ring: shared, port, spoolDirectory, workerId } = workerData as WriterThreadData;
const ring = new RingConsumer(shared);
const nobody = new Int32Array(new SharedArrayBuffer(4));
const post = (report: WriterReport): void => port.postMessage(report);
const writer = new SpoolWriter({ spoolDirectory, workerId, clock: systemClock, post });
let draining = false;

/** What comes meanwhile waits for the next turn: a turn costs much the same however little it has. */
function takeTurn(): void {
  let bytes: number;
  do {
    bytes = writer.isStalled ? 0 : writer.take(ring, maxBytesPerFlush);
    writer.flush();
  } while (bytes >= maxBytesPerFlush);
}

function settle(conversationId: string, reply: number): void {
  try {
    writer.settleConversation(conversationId);
  } catch (error) {
    post({ event: 'fault', message: `settling: ${String(error)}` });
  }
  post({ event: 'settled', reply });
}

function takeRequests(): WriterRequest[] {
  const requests: WriterRequest[] = [];
  for (let next = receiveMessageOnPort(port); next; next = receiveMessageOnPort(port))
    requests.push(next.message as WriterRequest);
  return requests;
}

function answer(request: WriterRequest): void {
  if ('drain' in request) draining = true;
  else settle(request.settle, request.reply);
}

while (!(draining && ring.isEmpty && writer.isClean)) {
  if (writer.isStalled) Atomics.wait(nobody, 0, 0, stalledPauseMs);
  else ring.wait(draining ? 1 : flushEveryMs);
  // Taken before the ring is drained: what the tick thread wrote before a request was made is in it.
  const requests = takeRequests();
  takeTurn();
  requests.forEach(answer);
}
post({ event: 'drained' });
port.close();
