import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { systemClock } from '../clock.ts';
import { CallreelError } from '../errors.ts';
import { collectWhenQuiet } from '../quiet-collection.ts';
import { describePipeline, Pipeline } from '../recording/pipeline.ts';
import { raiseMediaThread } from '../thread-priority.ts';
import { MessageBatch } from './message-batch.ts';
import type { CommandMessage, WireError, WorkerMessage } from './messages.ts';
import { askWriter } from './start-writer.ts';
import type { WorkerSettings } from './worker-settings.ts';
import type { WriterReport, WriterRequest } from './writer-thread.ts';

/** The thread of a media worker on which every packet is handled. Started by `worker-process`. */
export interface TickThreadData {
  settings: WorkerSettings;
  ring: SharedArrayBuffer;
  writerPort: MessagePort;
}

export type TickRequest =
  | CommandMessage
  /** The server is gone: end everything as interrupted, then finish. */
  | { kind: 'interrupt' };

if (!parentPort) throw new TypeError('the tick thread is started by worker-process');
raiseMediaThread();
const control = parentPort;
const { settings, ring, writerPort } = workerData as TickThreadData;
/** As much becomes old of hundreds of calls before V8 would collect it, which moves together nothing of what is kept. */
const collectionPauseMs = 120_000;
const settling = new Map<number, () => void>();
const dueRequests: TickRequest[] = [];
const toWriter = new MessageBatch<WriterRequest>((requests) => ask(requests));
const toServer = new MessageBatch<WorkerMessage>((messages) => control.postMessage(messages));
let nextSettle = 1;
/** In this turn: what was begun by it goes on in the event loop. */
let wasTold = false;
let state: 'running' | 'interrupted' | 'drainingWriter' | 'finished' = 'running';

const pipeline = new Pipeline({
  clock: systemClock,
  driver: settings.driver ?? 'auto',
  steering: settings.steering ?? 'off',
  mediaAddress: settings.mediaAddress,
  ports: settings.ports,
  ring,
  settle,
  post: (event) => tell({ kind: 'event', event }),
  mayStay: () => !wasTold && toWriter.isEmpty && toServer.isEmpty,
});

function tell(message: WorkerMessage): void {
  toServer.add(message);
}

function ask(requests: WriterRequest[]): void {
  askWriter({ port: writerPort, ring }, ...requests);
}

function settle(roomIds: readonly string[]): Promise<void> {
  const reply = nextSettle++;
  toWriter.add({ settle: roomIds, reply });
  return new Promise((resolve) => settling.set(reply, resolve));
}

function settled(reply: number): void {
  settling.get(reply)?.();
  settling.delete(reply);
}

function readWriterReports(): void {
  for (let next = receiveMessageOnPort(writerPort); next; next = receiveMessageOnPort(writerPort)) {
    wasTold = true;
    const report = next.message as WriterReport;
    if (report.event === 'settled') report.replies.forEach(settled);
    else if (report.event === 'drained') void finish();
    else pipeline.recordings.writerReported(report);
  }
}

/**
 * A request waits for the turn of the event loop that reads the sockets: a packet that came before a BYE, say, is taken
 * before the leg is closed.
 */
function readRequests(): void {
  if (dueRequests.length > 0) wasTold = true;
  for (const request of dueRequests.splice(0)) {
    if (request.kind === 'command') void execute(request);
    else interrupt();
  }
  const arrived: TickRequest[] = [];
  for (let next = receiveMessageOnPort(control); next; next = receiveMessageOnPort(control))
    arrived.push(...(next.message as TickRequest[]));
  if (arrived.length === 0) return;
  wasTold = true;
  setImmediate(() => dueRequests.push(...arrived));
}

async function execute({ id, command }: CommandMessage): Promise<void> {
  try {
    tell({ kind: 'reply', id, reply: await pipeline.executor.execute(command) });
  } catch (error) {
    tell({ kind: 'refusal', id, error: describeError(error, command.verb) });
  }
}

/** What is no CallreelError is a fault of ours: the caller hears of it, the log gets the cause. */
function describeError(error: unknown, verb: string): WireError {
  if (error instanceof CallreelError) return { code: error.code, message: error.message, where: error.where };
  const cause = error instanceof Error ? (error.stack ?? error.message) : String(error);
  tell({ kind: 'event', event: { event: 'fault', message: `${verb}: ${cause}` } });
  return { code: 'STATE_INVALID', message: `the command ${verb} failed in the media worker`, where: verb };
}

function interrupt(): void {
  if (state !== 'running') return;
  state = 'interrupted';
  pipeline.recordings.endAll('interrupted', systemClock.monotonicUs());
}

function finishWhenDone(): void {
  const done =
    (state === 'running' && pipeline.executor.drained) ||
    (state === 'interrupted' && pipeline.recordings.count === 0);
  if (!done) return;
  state = 'drainingWriter';
  toWriter.add({ drain: true });
}

async function finish(): Promise<void> {
  state = 'finished';
  await pipeline.stop();
  tell({ kind: 'finished' });
  toServer.flush();
  writerPort.close();
  control.close();
}

collectWhenQuiet(systemClock, { pauseMs: collectionPauseMs });
// The transport's timers keep no thread alive by themselves.
control.ref();
pipeline.run(() => {
  wasTold = false;
  readWriterReports();
  readRequests();
  finishWhenDone();
});
const { driver, note: driverNote, steering } = pipeline.transport;
tell({ kind: 'ready', driver, driverNote, steering, pipeline: describePipeline() });
