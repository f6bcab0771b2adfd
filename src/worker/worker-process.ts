import { Worker } from 'node:worker_threads';
import { systemClock } from '../clock.ts';
import { type CommandMessage, parseCommandMessage, type WorkerMessage } from './messages.ts';
import { startWriterThread } from './start-writer.ts';
import type { TickRequest, TickThreadData } from './tick-thread.ts';
import { parseWorkerSettings } from './worker-settings.ts';

/**
 * Main thread of a media worker's process, forked by `media-worker`:
 *
 *     server --IPC--> this --port--> tick thread --ring--> writer thread --> disk
 *            <--IPC--      <--port--             <--port--
 *
 * It checks and forwards, nothing more. When the server is gone it has every recording ended as interrupted and
 * leaves; signals are the server's business.
 */

/** After the server's death; what a stalled disk did not take by then, the next start recovers. */
const interruptedExitMs = 12_000;
/** The writer thread's next two writes: what was spooled before a fault reaches the disk. */
const faultExitMs = 250;

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);

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

function tell(message: WorkerMessage, sent: () => void = () => undefined): void {
  if (process.connected) process.send?.(message, sent);
  else sent();
}

let failing = false;

/** Ends the process; everything it held becomes the next recovery's. */
function fail(part: string, error: unknown): void {
  if (failing) return;
  failing = true;
  const cause = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`callreel media worker ${settings.workerId}: ${part} failed: ${cause}\n`);
  tell({ kind: 'event', event: { event: 'fault', message: `${part} failed: ${cause}` } });
  setExit(faultExitMs, 1);
}

function setExit(delayMs: number, code: number): void {
  systemClock.after(delayMs, () => process.exit(code));
}

function toTick(request: TickRequest): void {
  tick.postMessage(request);
}

process.on('message', (message) => {
  const parsed: CommandMessage | { problem: string; id?: number } = parseCommandMessage(message);
  if (!('problem' in parsed)) toTick(parsed);
  else if (parsed.id !== undefined)
    tell({ kind: 'refusal', id: parsed.id, error: { code: 'REQUEST_INVALID', message: parsed.problem } });
});

process.on('disconnect', () => {
  toTick({ kind: 'interrupt' });
  setExit(interruptedExitMs, 1);
});

tick.on('message', (report: WorkerMessage) => {
  if (report.kind === 'finished') tell(report, () => process.exit(0));
  else tell(report);
});
tick.on('error', (error) => fail('the tick thread', error));
writer.worker.on('error', (error) => fail('the writer thread', error));
process.on('uncaughtException', (error) => fail('the main thread', error));
