import { type Transferable, Worker } from 'node:worker_threads';
import type { Clock, Timer } from '../clock.ts';
import { CallreelError } from '../errors.ts';

export interface JobThreadsOptions {
  /** A module that calls `serveJobs`. */
  script: URL;
  threads: number;
  /** Jobs that may wait for a thread; one more is refused. */
  maxWaiting: number;
  /** For one job, from the moment a thread begins it. */
  timeoutMs: number;
  clock: Clock;
  /** What a job ends with when its thread did not finish it. */
  failure: (what: string) => CallreelError;
}

export interface JobOptions {
  /** Gives up waiting for the result; what runs already is finished for nothing. */
  signal?: AbortSignal | undefined;
  transfer?: Transferable[];
}

/** What a job thread answers. */
export type JobReply<Result> = { result: Result } | { error: ReturnType<CallreelError['toJSON']> };

interface QueuedJob<Job, Result> {
  job: Job;
  transfer: Transferable[];
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
}

interface JobThread<Job, Result> {
  worker: Worker;
  running: QueuedJob<Job, Result> | undefined;
  timer: Timer | undefined;
}

const heapMb = 128;

/**
 * Low-priority threads for work that would hold up the server's event loop: one job at a time each, in the order
 * asked for. A thread that does not finish in time is ended and replaced, so that no input can keep one for ever.
 */
export class JobThreads<Job, Result> {
  readonly #options: JobThreadsOptions;
  readonly #threads = new Set<JobThread<Job, Result>>();
  readonly #waiting: QueuedJob<Job, Result>[] = [];
  #closed = false;

  constructor(options: JobThreadsOptions) {
    this.#options = options;
  }

  /**
   * @throws CallreelError what the job threw, or `failure`; DRAINING after `close`
   * @throws the signal's reason
   */
  async run(job: Job, { signal, transfer = [] }: JobOptions = {}): Promise<Result> {
    signal?.throwIfAborted();
    if (this.#closed) throw new CallreelError('DRAINING', 'the threads are stopped');
    if (this.#waiting.length >= this.#options.maxWaiting)
      throw this.#options.failure(`${this.#waiting.length} others are waiting already`);
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    const queued = { job, transfer, resolve, reject };
    const giveUp = () => {
      const at = this.#waiting.indexOf(queued);
      if (at >= 0) this.#waiting.splice(at, 1);
      reject(signal?.reason);
    };
    signal?.addEventListener('abort', giveUp, { once: true });
    this.#waiting.push(queued);
    this.#next();
    try {
      return await promise;
    } finally {
      signal?.removeEventListener('abort', giveUp);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const { reject } of this.#waiting.splice(0))
      reject(new CallreelError('DRAINING', 'the threads are stopped'));
    await Promise.all([...this.#threads].map(({ worker }) => worker.terminate()));
  }

  #next(): void {
    if (this.#waiting.length === 0) return;
    const idle = [...this.#threads].find(({ running }) => !running);
    const thread = idle ?? (this.#threads.size < this.#options.threads ? this.#startThread() : undefined);
    const queued = thread && this.#waiting.shift();
    if (!queued) return;
    thread.running = queued;
    thread.worker.ref();
    thread.timer = this.#options.clock.after(this.#options.timeoutMs, () => {
      this.#end(thread, `not done within ${this.#options.timeoutMs} ms`);
      void thread.worker.terminate();
    });
    thread.worker.postMessage(queued.job, queued.transfer);
  }

  #startThread(): JobThread<Job, Result> {
    const worker = new Worker(this.#options.script, {
      resourceLimits: { maxOldGenerationSizeMb: heapMb },
      stdout: true,
      stderr: true,
    });
    const thread: JobThread<Job, Result> = { worker, running: undefined, timer: undefined };
    // What a decoder prints about bad input is of no use to anybody, and unread it would pile up.
    worker.stdout.resume();
    worker.stderr.resume();
    worker.unref();
    worker.on('message', (reply: JobReply<Result>) => this.#answered(thread, reply));
    worker.on('error', (error) => this.#end(thread, String(error)));
    worker.on('exit', () => this.#end(thread, 'the thread ended'));
    this.#threads.add(thread);
    return thread;
  }

  #answered(thread: JobThread<Job, Result>, reply: JobReply<Result>): void {
    const queued = this.#release(thread);
    if ('result' in reply) queued?.resolve(reply.result);
    else queued?.reject(new CallreelError(reply.error.code, reply.error.message, reply.error));
    this.#next();
  }

  /** The thread is no more; another one takes its place when there is work. */
  #end(thread: JobThread<Job, Result>, what: string): void {
    if (!this.#threads.delete(thread)) return;
    this.#release(thread)?.reject(
      this.#closed ? new CallreelError('DRAINING', 'the threads are stopped') : this.#options.failure(what),
    );
    if (!this.#closed) this.#next();
  }

  #release(thread: JobThread<Job, Result>): QueuedJob<Job, Result> | undefined {
    const { running } = thread;
    thread.timer?.cancel();
    thread.running = undefined;
    thread.worker.unref();
    return running;
  }
}
