import { Worker } from 'node:worker_threads';
import { CallreelError } from '../errors.ts';
import type { Secret } from '../secret.ts';

export interface SpoolThreadOptions {
  spoolDir: string;
  masterKey: Secret<Uint8Array>;
  lossConcealment: 'on' | 'off';
}

/** What such a thread is given at its start. */
export interface SpoolThreadData {
  spoolDir: string;
  masterKey: Uint8Array;
  lossConcealment: 'on' | 'off';
}

type AnyReply = { id: number } & (
  | { reply: 'done' }
  | { reply: 'error'; error: ReturnType<CallreelError['toJSON']> }
);

type WithoutId<Command> = Command extends { id: number } ? Omit<Command, 'id'> : never;

/**
 * The server's side of one low-priority thread that reads the spool, and answers each command under its id. Started when
 * it is first needed; one that dies fails what waits for it, and is replaced by the next command.
 */
export class SpoolThread<Command extends { id: number }, Reply extends AnyReply> {
  readonly #script: URL;
  readonly #name: string;
  readonly #options: SpoolThreadOptions;
  readonly #waiting = new Map<number, (reply: AnyReply) => void>();
  #worker: Worker | undefined;
  #nextId = 1;
  #closed = false;

  /** @param name as in `the file thread` */
  constructor(script: URL, name: string, { spoolDir, masterKey, lossConcealment }: SpoolThreadOptions) {
    this.#script = script;
    this.#name = name;
    this.#options = { spoolDir, masterKey, lossConcealment };
  }

  get isRunning(): boolean {
    return this.#worker !== undefined;
  }

  /** @throws CallreelError the thread's own; RENDER_FAILED when it dies; DRAINING after `close` */
  async ask(command: WithoutId<Command>): Promise<Extract<Reply, { reply: 'done' }>> {
    if (this.#closed) throw new CallreelError('DRAINING', `${this.#name} is stopped`);
    this.#worker ??= this.#start();
    const id = this.#nextId++;
    const { promise, resolve } = Promise.withResolvers<AnyReply>();
    this.#waiting.set(id, resolve);
    this.#worker.postMessage({ ...command, id });
    const reply = await promise;
    if (reply.reply === 'done') return reply as Extract<Reply, { reply: 'done' }>;
    throw new CallreelError(reply.error.code, reply.error.message, { where: reply.error.where });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#worker?.terminate();
  }

  #start(): Worker {
    const { spoolDir, masterKey, lossConcealment } = this.#options;
    const workerData: SpoolThreadData = { spoolDir, masterKey: masterKey.reveal(), lossConcealment };
    const worker = new Worker(this.#script, { workerData, name: this.#name.replace('the ', '') });
    worker.unref();
    worker.on('message', (reply: AnyReply) => {
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
    const error = new CallreelError(code, `${this.#name} ended`).toJSON();
    for (const [id, resolve] of this.#waiting) resolve({ id, reply: 'error', error });
    this.#waiting.clear();
  }
}
