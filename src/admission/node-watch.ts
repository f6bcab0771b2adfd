import { mkdir, statfs } from 'node:fs/promises';
import type { Clock, Timer } from '../clock.ts';
import { CallreelError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { WorkerStats } from '../media/control.ts';
import { tickPeriodUs } from '../rtp/transport.ts';
import { Capacity, type CapacityLimits, type Shortage } from './capacity.ts';
import { loadBetween, type NodeLoad, type SignallingLoad, type WorkerSample } from './node-load.ts';

/** A media worker, as far as it is looked at here. */
export interface WatchedWorker {
  readonly workerId: string;
  stats(): Promise<WorkerStats>;
}

export interface NodeWatchOptions {
  clock: Clock;
  log: Logger;
  limits: CapacityLimits;
  /** The disk that is looked at. */
  spoolDir: string;
  /** Those that are alive. */
  workers(): readonly WatchedWorker[];
  calls(): number;
  /** Since it was asked last. */
  signalling(): SignallingLoad;
}

const lookEveryMs = 1000;
/** Short beside the time in which a caller sends its INVITE again (500 ms, RFC 3261 17.1.1.2). */
const signallingLookMs = 100;
/** Longer than any tick may take, shorter than the time in which calls pile up. */
const answerMs = 900;

/** Looks at the node every second, and says whether it takes one more call. */
export class NodeWatch {
  readonly #options: NodeWatchOptions;
  readonly #capacity: Capacity;
  #samples = new Map<string, WorkerSample>();
  #freeDiskBytes: number | undefined;
  #askingDisk = false;
  #diskLooks = 0;
  #timer: Timer | undefined;
  #signallingTimer: Timer | undefined;
  #load: NodeLoad | undefined;
  #refusals: Partial<Record<Shortage, number>> = {};
  #isClosed = false;

  constructor(options: NodeWatchOptions) {
    this.#options = options;
    this.#capacity = new Capacity(options.limits);
  }

  /** The first look is done when it returns. */
  async start(): Promise<void> {
    // Before the first recording there is none; it may be a disk of its own.
    await mkdir(this.#options.spoolDir, { recursive: true, mode: 0o700 }).catch(() => undefined);
    await this.#askDisk();
    await this.#look();
    if (this.#options.limits.maxSignallingBusyMs > 0) this.#lookAtSignalling();
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#signallingTimer?.cancel();
  }

  /** The last look. */
  get load(): Readonly<NodeLoad> | undefined {
    return this.#load;
  }

  get shortage(): Shortage | undefined {
    return this.#capacity.shortageAt(this.#options.calls());
  }

  /** Calls that were not taken, by why. */
  get refusals(): Readonly<Partial<Record<Shortage, number>>> {
    return this.#refusals;
  }

  get isFull(): boolean {
    return this.shortage !== undefined;
  }

  /** Asked once for each new call. */
  admits(): boolean {
    const shortage = this.shortage;
    if (shortage === undefined) return true;
    this.#refusals[shortage] = (this.#refusals[shortage] ?? 0) + 1;
    return false;
  }

  /** @throws CallreelError OVERLOADED */
  assertAdmits(): void {
    if (!this.admits())
      throw new CallreelError('OVERLOADED', 'this node takes no more calls now', { where: this.shortage });
  }

  async #look(): Promise<void> {
    const { clock, workers, log } = this.#options;
    const alive = workers();
    const found = await Promise.all(alive.map((worker) => this.#ask(worker)));
    if (this.#isClosed) return;
    void this.#askDisk();
    const samples = found.filter((sample) => sample !== undefined);
    this.#load = {
      ...loadBetween(this.#samples, samples, tickPeriodUs),
      silentWorkers: alive.length - samples.length,
      freeDiskBytes: this.#freeDiskBytes,
    };
    this.#samples = new Map(samples.map((sample) => [sample.workerId, sample]));
    if (this.#capacity.observe(this.#load)) this.#tell(log);
    this.#timer = clock.after(lookEveryMs, () => void this.#look());
  }

  #lookAtSignalling(): void {
    if (this.#isClosed) return;
    const { clock, log, signalling } = this.#options;
    const beganUs = clock.monotonicUs();
    this.#signallingTimer = clock.after(signallingLookMs, () => {
      const elapsedMs = (clock.monotonicUs() - beganUs) / 1000;
      if (this.#capacity.observeSignalling(signalling(), elapsedMs)) this.#tell(log);
      this.#lookAtSignalling();
    });
  }

  #tell(log: Logger): void {
    const { shortage } = this;
    if (shortage === undefined) log.info({ ...this.#load }, 'new calls are taken again');
    else log.warn({ shortage, ...this.#load }, 'no new calls are taken: those that are here would suffer');
  }

  /** @returns undefined where there is no answer in time */
  async #ask(worker: WatchedWorker): Promise<WorkerSample | undefined> {
    const { clock } = this.#options;
    const { promise: late, resolve } = Promise.withResolvers<undefined>();
    const timer = clock.after(answerMs, () => resolve(undefined));
    const asked = worker.stats().then(
      (stats) => ({ workerId: worker.workerId, atUs: clock.monotonicUs(), stats }),
      () => undefined,
    );
    try {
      return await Promise.race([asked, late]);
    } finally {
      timer.cancel();
    }
  }

  /** A disk that hangs keeps nobody waiting: what it said last holds for some looks. */
  async #askDisk(): Promise<void> {
    if (this.#askingDisk) {
      if (++this.#diskLooks > 5) this.#freeDiskBytes = undefined;
      return;
    }
    this.#askingDisk = true;
    this.#diskLooks = 0;
    try {
      const { bavail, bsize } = await statfs(this.#options.spoolDir);
      this.#freeDiskBytes = bavail * bsize;
    } catch {
      this.#freeDiskBytes = undefined;
    } finally {
      this.#askingDisk = false;
    }
  }
}
