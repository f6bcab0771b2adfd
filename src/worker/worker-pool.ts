import { CallreelError } from '../errors.ts';
import type { WorkerEvent, WorkerStats } from '../media/control.ts';
import { MediaWorker, type MediaWorkerOptions } from './media-worker.ts';

export interface WorkerPoolOptions extends Omit<MediaWorkerOptions, 'workerId'> {
  workers: number;
}

const restartPauseMs = 1000;
/** Keys remembered for `workerFor`; the one not asked for longest is forgotten first. */
const maxRememberedKeys = 100_000;

/** The media workers of this node. A lost one is replaced; its calls are not. */
export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  readonly #workers = new Set<MediaWorker>();
  readonly #assigned = new Map<string, MediaWorker>();
  readonly #eventHandlers = new Set<(event: WorkerEvent, worker: MediaWorker) => void>();
  readonly #lostHandlers = new Set<(worker: MediaWorker) => void>();
  #started = 0;
  #draining = false;

  /** @throws CallreelError WORKER_LOST when one of them does not start */
  static async start(options: WorkerPoolOptions): Promise<WorkerPool> {
    const pool = new WorkerPool(options);
    try {
      await Promise.all(Array.from({ length: options.workers }, () => pool.#startWorker()));
    } catch (error) {
      pool.kill();
      throw error;
    }
    return pool;
  }

  private constructor(options: WorkerPoolOptions) {
    this.#options = options;
  }

  /** How many there are to be; one that was lost is missing until it was replaced. */
  get wanted(): number {
    return this.#options.workers;
  }

  get workers(): MediaWorker[] {
    return [...this.#workers];
  }

  /**
   * The worker that carries everything of this key: the same one for as long as it lives, at first the one with the
   * fewest legs. All parties of a room are on one worker, so the key is the room's.
   * @throws CallreelError WORKER_LOST while none is alive
   */
  workerFor(roomKey: string): MediaWorker {
    const known = this.#assigned.get(roomKey);
    const worker = known?.alive ? known : this.#leastLoaded();
    this.#assigned.delete(roomKey);
    this.#assigned.set(roomKey, worker);
    if (this.#assigned.size > maxRememberedKeys) {
      const [oldest] = this.#assigned.keys();
      if (oldest !== undefined) this.#assigned.delete(oldest);
    }
    return worker;
  }

  /** Nobody asks for this key any more. */
  forget(roomKey: string): void {
    this.#assigned.delete(roomKey);
  }

  onEvent(handler: (event: WorkerEvent, worker: MediaWorker) => void): () => void {
    this.#eventHandlers.add(handler);
    return () => void this.#eventHandlers.delete(handler);
  }

  onLost(handler: (worker: MediaWorker) => void): () => void {
    this.#lostHandlers.add(handler);
    return () => void this.#lostHandlers.delete(handler);
  }

  stats(): Promise<WorkerStats[]> {
    return Promise.all(this.workers.map((worker) => worker.stats()));
  }

  /** Settles when every worker ended, however it did. */
  async drain(): Promise<void> {
    this.#draining = true;
    await Promise.allSettled(this.workers.map((worker) => worker.drain()));
  }

  /** All at once, without replacement. */
  kill(): void {
    this.#draining = true;
    for (const worker of this.#workers) worker.kill();
  }

  async #startWorker(): Promise<void> {
    const { workers: _, ...options } = this.#options;
    const worker = await MediaWorker.start({ ...options, workerId: `w${++this.#started}` });
    this.#workers.add(worker);
    worker.onEvent((event) => {
      for (const handler of this.#eventHandlers) handler(event, worker);
    });
    worker.onLost(() => this.#lost(worker));
    if (this.#draining) worker.kill();
  }

  #lost(worker: MediaWorker): void {
    this.#workers.delete(worker);
    for (const handler of this.#lostHandlers) handler(worker);
    this.#replaceLater();
  }

  #replaceLater(): void {
    if (this.#draining) return;
    this.#options.clock.after(restartPauseMs, () => {
      if (this.#draining) return;
      this.#startWorker().catch((error: unknown) => {
        this.#options.log.error({ error }, 'a media worker could not be replaced');
        this.#replaceLater();
      });
    });
  }

  #leastLoaded(): MediaWorker {
    let best: MediaWorker | undefined;
    for (const worker of this.#workers)
      if (worker.alive && (!best || worker.openLegs < best.openLegs)) best = worker;
    if (best) return best;
    throw new CallreelError('WORKER_LOST', 'no media worker is alive');
  }
}
