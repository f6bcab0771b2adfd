import { Worker } from 'node:worker_threads';
import { systemClock } from '../clock.ts';
import { CallreelError } from '../errors.ts';
import { returnFreedMemory } from '../freed-memory.ts';
import { boundOldGeneration } from '../old-generation.ts';
import { lowerHelperThreads } from '../thread-priority.ts';
import { boundYoungGeneration, letYoungGenerationsGrow } from '../young-generation.ts';
import {
  type CommandMessage,
  messagesIn,
  parseCommandMessage,
  type WireError,
  type WorkerMessage,
} from './messages.ts';
import { PromptStore } from './prompt-store.ts';
import { startWriterThread } from './start-writer.ts';
import type { TickRequest, TickThreadData } from './tick-thread.ts';
import { parseWorkerSettings } from './worker-settings.ts';

/**
 * Main thread of a media worker's process, forked by `media-worker`:
 *
 *     server --IPC--> this --port--> tick thread --ring--> writer thread --> disk
 *            <--IPC--      <--port--             <--port--
 *
 * It checks and forwards, and keeps the audio of the prompts, nothing more. When the server is gone it has every
 * recording ended as interrupted and leaves; signals are the server's business.
 */

/** After the server's death; what a stalled disk did not take by then, the next start recovers. */
const interruptedExitMs = 12_000;
/** The writer thread's next two writes: what was spooled before a fault reaches the disk. */
const faultExitMs = 250;

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);

boundOldGeneration();
boundYoungGeneration();
lowerHelperThreads();
returnFreedMemory(systemClock);
const settings = parseWorkerSettings(process.argv[2]);
const writer = startWriterThread({
  spoolDirectory: settings.spoolDir,
  workerId: settings.workerId,
  ringBytes: settings.ringBytes,
});
const tickData: TickThreadData = { settings, ring: writer.ring, writerPort: writer.port };
const tick = new Worker(new URL('./tick-thread.ts', import.meta.url), {
  workerData: tickData,
  transferList: [writer.port],
  name: 'media-tick',
});
letYoungGenerationsGrow();

function tell(messages: WorkerMessage[], sent: () => void = () => undefined): void {
  if (process.connected) process.send?.(messages, sent);
  else sent();
}

const prompts = new PromptStore();
let failing = false;

/** Ends the process; everything it held becomes the next recovery's. */
function fail(part: string, error: unknown): void {
  if (failing) return;
  failing = true;
  const cause = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`callreel media worker ${settings.workerId}: ${part} failed: ${cause}\n`);
  tell([{ kind: 'event', event: { event: 'fault', message: `${part} failed: ${cause}` } }]);
  setExit(faultExitMs, 1);
}

function setExit(delayMs: number, code: number): void {
  systemClock.after(delayMs, () => process.exit(code));
}

function toTick(requests: TickRequest[]): void {
  tick.postMessage(requests);
}

function refuse(id: number, error: WireError): void {
  tell([{ kind: 'refusal', id, error }]);
}

process.on('message', (raw) => {
  const requests: TickRequest[] = [];
  for (const message of messagesIn(raw)) {
    const parsed: CommandMessage | { problem: string; id?: number } = parseCommandMessage(message);
    if (!('problem' in parsed)) forward(parsed, requests);
    else if (parsed.id !== undefined) refuse(parsed.id, { code: 'REQUEST_INVALID', message: parsed.problem });
  }
  if (requests.length > 0) toTick(requests);
});

function forward(message: CommandMessage, requests: TickRequest[]): void {
  const { id, command } = message;
  try {
    if (command.verb === 'play.start') requests.push({ ...message, command: prompts.keep(id, command) });
    else if (command.verb === 'recording.notice')
      requests.push({ ...message, command: prompts.keepNotice(id, command) });
    else requests.push(message);
  } catch (error) {
    if (!(error instanceof CallreelError)) throw error;
    refuse(id, { code: error.code, message: error.message, where: error.where });
  }
}

process.on('disconnect', () => {
  toTick([{ kind: 'interrupt' }]);
  setExit(interruptedExitMs, 1);
});

tick.on('message', (reports: WorkerMessage[]) => {
  for (const report of reports) prompts.observe(report);
  if (reports.some(({ kind }) => kind === 'finished')) tell(reports, () => process.exit(0));
  else tell(reports);
});
tick.on('error', (error) => fail('the tick thread', error));
writer.worker.on('error', (error) => fail('the writer thread', error));
process.on('uncaughtException', (error) => fail('the main thread', error));
