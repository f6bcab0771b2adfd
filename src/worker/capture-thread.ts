import { constants, setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { CallreelError } from '../errors.ts';
import { captureCall } from '../render/call-capture.ts';
import { Secret } from '../secret.ts';
import type { CaptureReply, CaptureThreadData } from './capture-export.ts';

/** Makes one capture file for `capture-export`, a chunk for each word of the parent. */
const { plan, spoolDir, masterKey } = workerData as CaptureThreadData;
const spool = { spoolDirectory: spoolDir, masterKey: new Secret(Buffer.from(masterKey)) };
const damaged: { trackId: string; message: string }[] = [];
const chunks = captureCall(plan, spool, (trackId, { message }) => damaged.push({ trackId, message }));

function next(): CaptureReply {
  try {
    const { value, done } = chunks.next();
    return done ? { reply: 'done', damaged } : { reply: 'chunk', chunk: value };
  } catch (error) {
    const known = error instanceof CallreelError ? error : new CallreelError('RENDER_FAILED', String(error));
    return { reply: 'error', error: known.toJSON() };
  }
}

setPriority(constants.priority.PRIORITY_LOW);
parentPort?.on('message', () => parentPort?.postMessage(next()));
