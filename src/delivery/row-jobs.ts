import { type Clock, sleep, type Timer } from '../clock.ts';
import { isRefusedWrite } from '../database/refused-write.ts';
import type { Logger } from '../logger.ts';

export interface RowJobsOptions {
  /** By which rows are due. */
  clock: Clock;
  /** By which a database that did not answer is asked again. */
  wallClock: Clock;
  log: Logger;
  /** Looks for rows that are due and begins their jobs. @returns how many were begun */
  fetch(): Promise<number>;
  /** For the log. */
  names: { one: string; many: string; id: string };
  pollMs?: number | undefined;
}

interface InFlight {
  group: string;
  abort: AbortController;
  done: Promise<void>;
}

/** A database that does not answer is asked again: what became of a try is not forgotten. */
const settleRetryMs = 1000;
/** A row whose job broke off is not begun again at once: those behind it come first. */
const brokenOffMs = 60_000;

/**
 * Does the jobs that rows are: looks for what is due whenever it is kicked, a job has ended, or `pollMs` have passed;
 * knows what is under way, and breaks it off. What the rows say stays with their owner.
 */
export class RowJobs {
  readonly #options: RowJobsOptions & { pollMs: number };
  readonly #inFlight = new Map<string, InFlight>();
  readonly #brokenOff = new Map<string, Timer>();
  #stopping = false;
  #loop: Promise<void> = Promise.resolve();
  #wake: (() => void) | undefined;
  #kicked = false;

  constructor({ pollMs = 1000, ...options }: RowJobsOptions) {
    this.#options = { ...options, pollMs };
  }

  /** Whatever is looked for now comes too late. */
  get isStopping(): boolean {
    return this.#stopping;
  }

  /** Ids of what is under way. */
  get running(): string[] {
    return [...this.#inFlight.keys()];
  }

  /** Ids of what is not to be begun: it is under way, or broke off a moment ago. */
  get taken(): string[] {
    return [...this.#inFlight.keys(), ...this.#brokenOff.keys()];
  }

  /** How many of each group are under way. */
  get groups(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const { group } of this.#inFlight.values()) counts.set(group, (counts.get(group) ?? 0) + 1);
    return counts;
  }

  start(): void {
    this.#loop = this.#run();
  }

  /** Looks for work now. */
  kick(): void {
    this.#kicked = true;
    this.#wake?.();
  }

  /** @param id none that is under way @param group what it is counted with */
  begin(id: string, group: string, work: (signal: AbortSignal) => Promise<void>): void {
    const { log, names } = this.#options;
    const abort = new AbortController();
    const done = work(abort.signal)
      .catch((error: unknown) => {
        log.error({ [names.id]: id, error }, `${names.one} broke off`);
        if (this.#stopping) return;
        this.#brokenOff.set(
          id,
          this.#options.clock.after(brokenOffMs, () => this.#brokenOff.delete(id)),
        );
      })
      .finally(() => {
        this.#inFlight.delete(id);
        this.kick();
      });
    this.#inFlight.set(id, { group, abort, done });
  }

  /** Ends the job, if it is under way; it has ended when this returns. */
  async interrupt(id: string, reason: Error): Promise<void> {
    const found = this.#inFlight.get(id);
    found?.abort.abort(reason);
    await found?.done;
  }

  /** Takes no new work and breaks off what is under way. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#wake?.();
    for (const timer of this.#brokenOff.values()) timer.cancel();
    for (const { abort } of this.#inFlight.values()) abort.abort(new Error('the process stops'));
    await this.#loop;
    await Promise.all([...this.#inFlight.values()].map(({ done }) => done));
  }

  /**
   * Writes what became of a job, until the database has it. @returns undefined when stopped before that
   * @throws what the database refuses for good, for what it says: another time would not change it
   */
  async settled<T>(write: () => Promise<T>): Promise<T | undefined> {
    const { log, names, wallClock } = this.#options;
    for (;;) {
      try {
        return await write();
      } catch (error) {
        if (this.#stopping) return undefined;
        log.error({ err: error }, `${names.one} could not be put on record`);
        if (isRefusedWrite(error)) throw error;
        await sleep(wallClock, settleRetryMs);
      }
    }
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      this.#kicked = false;
      const begun = await this.#fetch();
      if (begun === 0 && !this.#kicked && !this.#stopping) await this.#pause(this.#options.pollMs);
    }
  }

  async #fetch(): Promise<number> {
    const { fetch, log, names } = this.#options;
    try {
      return await fetch();
    } catch (error) {
      log.error({ err: error }, `${names.many} could not be looked for`);
      return 0;
    }
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      let timer: Timer | undefined;
      this.#wake = () => {
        this.#wake = undefined;
        timer?.cancel();
        resolve();
      };
      timer = this.#options.clock.after(delayMs, () => this.#wake?.());
    });
  }
}
