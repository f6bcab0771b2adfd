import { Worker } from 'node:worker_threads';
import { CallreelError } from '../errors.ts';
import type { Secret } from '../secret.ts';
import type { EncodeCommand, EncodeOrder, EncodeReply, EncodeThreadData } from './encode-protocol.ts';

export interface AlongEncoderOptions {
  spoolDir: string;
  masterKey: Secret<Uint8Array>;
  lossConcealment: 'on' | 'off';
}

type WithoutId<Command> = Command extends EncodeCommand ? Omit<Command, 'id'> : never;

/**
 * One low-priority thread encodes files along with their recordings, so that they are there when those end. Started
 * when it is first needed; what a thread that dies had is made at its end.
 */
export class AlongEncoder {
  readonly #options: AlongEncoderOptions;
  readonly #waiting = new Map<number, (reply: EncodeReply) => void>();
  #worker: Worker | undefined;
  #nextId = 1;
  #closed = false;

  constructor(options: AlongEncoderOptions) {
    this.#options = options;
  }

  /** @throws CallreelError RENDER_FAILED, as all of these */
  async follow(order: EncodeOrder): Promise<void> {
    await this.#ask({ verb: 'follow', order });
  }

  async step(recordingIds: string[]): Promise<void> {
    await this.#ask({ verb: 'step', recordingIds });
  }

  /** @returns undefined where it has no whole file */
  async take(recordingId: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return await this.#ask({ verb: 'take', recordingId });
  }

  async drop(recordingId: string): Promise<void> {
    if (this.#worker) await this.#ask({ verb: 'drop', recordingId });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#worker?.terminate();
  }

  async #ask(command: WithoutId<EncodeCommand>): Promise<Uint8Array<ArrayBuffer> | undefined> {
    if (this.#closed) throw new CallreelError('DRAINING', 'the encode thread is stopped');
    const worker = (this.#worker ??= this.#start());
    const id = this.#nextId++;
    const { promise, resolve } = Promise.withResolvers<EncodeReply>();
    this.#waiting.set(id, resolve);
    worker.postMessage({ ...command, id } satisfies EncodeCommand);
    const reply = await promise;
    if (reply.reply === 'done') return reply.file;
    throw new CallreelError(reply.error.code, reply.error.message, { where: reply.error.where });
  }

  #start(): Worker {
    const { spoolDir, masterKey, lossConcealment } = this.#options;
    const workerData: EncodeThreadData = { spoolDir, masterKey: masterKey.reveal(), lossConcealment };
    const worker = new Worker(new URL('./encode-thread.ts', import.meta.url), { workerData });
    worker.unref();
    worker.on('message', (reply: EncodeReply) => {
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
    const error = new CallreelError('RENDER_FAILED', 'the encode thread ended').toJSON();
    for (const [id, resolve] of this.#waiting) resolve({ id, reply: 'error', error });
    this.#waiting.clear();
  }
}
