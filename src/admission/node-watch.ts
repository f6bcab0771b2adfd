import { type Clock, type Timer, within } from '../clock.ts';
import { CallreelError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { WorkerStats } from '../media/control.ts';
import { tickPeriodUs } from '../rtp/transport.ts';
import { Capacity, type CapacityLimits, type Shortage } from './capacity.ts';
import { type DiskPlace, type DiskSpace, DiskWatch } from './disk-watch.ts';
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
  /** Whose disks are looked at. Calls are refused for the spool's alone: those that are here are recorded without the others. */
  directories: Readonly<Partial<Record<DiskPlace, string>> & { spool: string }>;
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
  readonly #disks: ReadonlyMap<DiskPlace, DiskWatch>;
  #timer: Timer | undefined;
  #signallingTimer: Timer | undefined;
  #load: NodeLoad | undefined;
  #refusals: Partial<Record<Shortage, number>> = {};
  #isClosed = false;

  constructor(options: NodeWatchOptions) {
    this.#options = options;
    this.#capacity = new Capacity(options.limits);
    const { directories } = options;
    const places = Object.keys(directories) as DiskPlace[];
    this.#disks = new Map(places.map((place) => [place, new DiskWatch(directories[place]!)]));
  }

  /** The first look is done when it returns. */
  async start(): Promise<void> {
    const starts = this.#disks.entries().map(([place, disk]) => [place, disk.start()] as const);
    await new Map(starts).get('spool');
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

  /** By the last look; undefined for a disk that does not answer. */
  get disks(): readonly { place: DiskPlace; space: DiskSpace | undefined }[] {
    return [...this.#disks].map(([place, { space }]) => ({ place, space }));
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
    for (const disk of this.#disks.values()) void disk.look();
    const samples = found.filter((sample) => sample !== undefined);
    this.#load = {
      ...loadBetween(this.#samples, samples, tickPeriodUs),
      silentWorkers: alive.length - samples.length,
      freeDiskBytes: this.#disks.get('spool')?.space?.freeBytes,
    };
    // What one did while it was silent is judged once it answers.
    const silent = alive.flatMap(({ workerId }) => this.#samples.get(workerId) ?? []);
    this.#samples = new Map([...silent, ...samples].map((sample) => [sample.workerId, sample]));
    if (this.#capacity.observe(this.#load)) this.#tell(log);
    this.#timer = clock.after(lookEveryMs, () => void this.#look());
  }

  #lookAtSignalling(): void {
    if (this.#isClosed) return;
    const { clock, log, signalling } = this.#options;
    const beganUs = clock.monotonicUs();
    this.#signallingTimer = clock.after(signallingLookMs, () => {
      const elapsedMs = (clock.monotonicUs() - beganUs) / 1000;
      const { longestWaitMs, ...load } = signalling();
      const waitedMs = Math.max(longestWaitMs, elapsedMs - signallingLookMs);
      if (this.#capacity.observeSignalling({ ...load, longestWaitMs: waitedMs }, elapsedMs)) this.#tell(log);
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
    const asked = worker.stats().then(
      (stats) => ({ workerId: worker.workerId, atUs: clock.monotonicUs(), stats }),
      () => undefined,
    );
    return await within(clock, answerMs, asked);
  }
}
