import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { CallreelError } from '../errors.ts';
import type { CapturePlan } from '../render/call-capture.ts';
import type { Secret } from '../secret.ts';

/** What the thread is started with. */
export interface CaptureThreadData {
  plan: CapturePlan;
  spoolDir: string;
  masterKey: Uint8Array;
}

export type CaptureReply =
  | { reply: 'chunk'; chunk: Uint8Array }
  | { reply: 'done'; damaged: { trackId: string; message: string }[] }
  | { reply: 'error'; error: ReturnType<CallreelError['toJSON']> };

export interface CaptureExportOptions {
  spoolDir: string;
  masterKey: Secret<Uint8Array>;
  log: { warn(fields: object, message: string): void };
}

const maxAtOnce = 4;

/** Makes capture files, each on a low-priority thread of its own that works only as fast as its file is read. */
export class CaptureExport {
  readonly #options: CaptureExportOptions;
  #running = 0;

  constructor(options: CaptureExportOptions) {
    this.#options = options;
  }

  /**
   * The bytes of the file; the thread ends with the iteration.
   * @throws CallreelError CONFLICT when too many are made already, SPOOL_CORRUPT, SPOOL_KEY_MISSING
   */
  async *read(plan: CapturePlan): AsyncGenerator<Uint8Array> {
    if (this.#running >= maxAtOnce)
      throw new CallreelError('CONFLICT', `${maxAtOnce} captures are being made; ask again later`);
    this.#running++;
    const { spoolDir, masterKey, log } = this.#options;
    const workerData: CaptureThreadData = { plan, spoolDir, masterKey: masterKey.reveal() };
    const worker = new Worker(new URL('./capture-thread.ts', import.meta.url), { workerData });
    const failed = new AbortController();
    worker.on('error', (cause) => failed.abort(cause));
    try {
      for (;;) {
        const answered = once(worker, 'message', { signal: failed.signal });
        worker.postMessage('next');
        const [reply] = (await answered) as [CaptureReply];
        if (reply.reply === 'error')
          throw new CallreelError(reply.error.code, reply.error.message, reply.error);
        if (reply.reply === 'done') {
          for (const track of reply.damaged) log.warn(track, 'a track could be captured in part only');
          return;
        }
        yield reply.chunk;
      }
    } finally {
      this.#running--;
      await worker.terminate();
    }
  }
}
