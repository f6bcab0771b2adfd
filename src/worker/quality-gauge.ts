import { Worker } from 'node:worker_threads';
import { CallreelError } from '../errors.ts';
import type { Secret } from '../secret.ts';
import type {
  MeasuredRecording,
  QualityCommand,
  QualityOrder,
  QualityReply,
  QualityThreadData,
} from './quality-protocol.ts';

export interface QualityGaugeOptions {
  spoolDir: string;
  masterKey: Secret<Uint8Array>;
  lossConcealment: 'on' | 'off';
}

type WithoutId<Command> = Command extends QualityCommand ? Omit<Command, 'id'> : never;

/**
 * One low-priority thread measures recordings along, so that their figures are there when they end. One that dies is
 * replaced when it is needed; what it had is measured at its end.
 */
export class QualityGauge {
  readonly #options: QualityGaugeOptions;
  readonly #waiting = new Map<number, (reply: QualityReply) => void>();
  #worker: Worker | undefined;
  #nextId = 1;
  #closed = false;

  constructor(options: QualityGaugeOptions) {
    this.#options = options;
  }

  /** Ahead of the first call, which does not wait for it then. Resolves when the thread runs, or could not. */
  async start(): Promise<void> {
    const worker = (this.#worker ??= this.#start());
    await new Promise<void>((resolve) => {
      worker.once('online', resolve);
      worker.once('exit', () => resolve());
    });
  }

  /** @throws CallreelError RENDER_FAILED, as all of these */
  async follow(order: QualityOrder): Promise<void> {
    await this.#ask({ verb: 'follow', order });
  }

  async step(recordingIds: string[]): Promise<void> {
    await this.#ask({ verb: 'step', recordingIds });
  }

  /** Of an ended recording. @throws CallreelError as `QualityDesk.measure` */
  async measure(order: QualityOrder): Promise<MeasuredRecording> {
    return (await this.#ask({ verb: 'measure', order }))!;
  }

  async drop(recordingId: string): Promise<void> {
    if (this.#worker) await this.#ask({ verb: 'drop', recordingId });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#worker?.terminate();
  }

  async #ask(command: WithoutId<QualityCommand>): Promise<MeasuredRecording | undefined> {
    if (this.#closed) throw new CallreelError('DRAINING', 'the quality thread is stopped');
    const worker = (this.#worker ??= this.#start());
    const id = this.#nextId++;
    const { promise, resolve } = Promise.withResolvers<QualityReply>();
    this.#waiting.set(id, resolve);
    worker.postMessage({ ...command, id } satisfies QualityCommand);
    const reply = await promise;
    if (reply.reply === 'done') return reply.measured;
    throw new CallreelError(reply.error.code, reply.error.message, { where: reply.error.where });
  }

  #start(): Worker {
    const { spoolDir, masterKey, lossConcealment } = this.#options;
    const workerData: QualityThreadData = { spoolDir, masterKey: masterKey.reveal(), lossConcealment };
    const worker = new Worker(new URL('./quality-thread.ts', import.meta.url), { workerData });
    worker.unref();
    worker.on('message', (reply: QualityReply) => {
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
    const error = new CallreelError(code, 'the quality thread ended').toJSON();
    for (const [id, resolve] of this.#waiting) resolve({ id, reply: 'error', error });
    this.#waiting.clear();
  }
}
