import { Worker } from 'node:worker_threads';
import { CallreelError } from '../errors.ts';
import type { Secret } from '../secret.ts';
import type { FileCommand, FileFailure, FileOrder, FileReply, FileThreadData } from './file-protocol.ts';

export interface FileWriterOptions {
  spoolDir: string;
  masterKey: Secret<Uint8Array>;
  lossConcealment: 'on' | 'off';
}

type WithoutId<Command> = Command extends FileCommand ? Omit<Command, 'id'> : never;

/**
 * One low-priority thread writes the files of all recordings, so that neither signalling nor media waits for their
 * disk. Started when it is first needed; one that dies is replaced, and what it followed is made at its end.
 */
export class FileWriter {
  readonly #options: FileWriterOptions;
  readonly #waiting = new Map<number, (reply: FileReply) => void>();
  #worker: Worker | undefined;
  #nextId = 1;
  #closed = false;

  constructor(options: FileWriterOptions) {
    this.#options = options;
  }

  async follow(order: FileOrder): Promise<void> {
    await this.#ask({ verb: 'follow', order });
  }

  /** @returns those that it had to give up */
  async step(recordingIds: string[]): Promise<FileFailure[]> {
    return await this.#ask({ verb: 'step', recordingIds });
  }

  /** When it returns, the disk has the whole file. @throws CallreelError as `FileDesk.complete`, DRAINING */
  async complete(order: FileOrder): Promise<void> {
    await this.#ask({ verb: 'complete', order });
  }

  async abandon(recordingId: string): Promise<void> {
    if (this.#worker) await this.#ask({ verb: 'abandon', recordingId });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#worker?.terminate();
  }

  async #ask(command: WithoutId<FileCommand>): Promise<FileFailure[]> {
    if (this.#closed) throw new CallreelError('DRAINING', 'the file thread is stopped');
    const worker = (this.#worker ??= this.#start());
    const id = this.#nextId++;
    const { promise, resolve } = Promise.withResolvers<FileReply>();
    this.#waiting.set(id, resolve);
    worker.postMessage({ ...command, id } satisfies FileCommand);
    const reply = await promise;
    if (reply.reply === 'done') return reply.failures ?? [];
    throw new CallreelError(reply.error.code, reply.error.message, { where: reply.error.where });
  }

  #start(): Worker {
    const { spoolDir, masterKey, lossConcealment } = this.#options;
    const workerData: FileThreadData = { spoolDir, masterKey: masterKey.reveal(), lossConcealment };
    const worker = new Worker(new URL('./file-thread.ts', import.meta.url), { workerData });
    worker.unref();
    worker.on('message', (reply: FileReply) => {
      const resolve = this.#waiting.get(reply.id);
      this.#waiting.delete(reply.id);
      resolve?.(reply);
    });
    worker.on('error', () => undefined);
    worker.on('exit', () => this.#ended());
    return worker;
  }

  #ended(): void {
    this.#worker = undefined;
    const code = this.#closed ? 'DRAINING' : 'RENDER_FAILED';
    const error = new CallreelError(code, 'the file thread ended').toJSON();
    for (const [id, resolve] of this.#waiting) resolve({ id, reply: 'error', error });
    this.#waiting.clear();
  }
}
