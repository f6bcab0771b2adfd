import { type Clock, sleep } from '../clock.ts';

export interface WriteGroupOptions {
  /** In a group. */
  most?: number;
  /** That are written side by side: with two, the many do not wait for a single one that came first. */
  mostGroups?: number;
  /**
   * A group begins so long behind the one before, unless it has as many as fit: what comes meanwhile goes with it. Of
   * groups that are written one after the other.
   */
  pace?: { clock: Clock; everyMs: number } | undefined;
}

/**
 * What many write at once is written together: whatever comes while the former are being written is the next group. Where
 * that fails, each is written by itself, so that none fails for another.
 */
export class WriteGroup<Item> {
  readonly #write: (items: readonly Item[]) => Promise<void>;
  readonly #most: number;
  readonly #mostGroups: number;
  readonly #pace: WriteGroupOptions['pace'];
  #waiting: { item: Item; done: PromiseWithResolvers<void> }[] = [];
  #running = 0;
  #beganUs = Number.NEGATIVE_INFINITY;

  /** @param write must be safe to run twice */
  constructor(
    write: (items: readonly Item[]) => Promise<void>,
    { most = 100, mostGroups = 1, pace }: WriteGroupOptions = {},
  ) {
    this.#write = write;
    this.#most = most;
    this.#mostGroups = mostGroups;
    this.#pace = pace;
  }

  /** @throws what the write of this one throws */
  add(item: Item): Promise<void> {
    const done = Promise.withResolvers<void>();
    this.#waiting.push({ item, done });
    if (this.#running < this.#mostGroups) void this.#run();
    return done.promise;
  }

  async #run(): Promise<void> {
    this.#running++;
    // Those of the same turn come first.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      if (this.#pace) await this.#keepPace(this.#pace);
      const group = this.#waiting.splice(0, this.#most);
      try {
        await this.#write(group.map(({ item }) => item));
        for (const { done } of group) done.resolve();
      } catch (error) {
        if (group.length === 1) group[0]!.done.reject(error);
        else await this.#each(group);
      }
    }
    this.#running--;
  }

  async #keepPace({ clock, everyMs }: NonNullable<WriteGroupOptions['pace']>): Promise<void> {
    const leftMs = everyMs - (clock.monotonicUs() - this.#beganUs) / 1000;
    if (leftMs > 0 && this.#waiting.length < this.#most) await sleep(clock, leftMs);
    this.#beganUs = clock.monotonicUs();
  }

  /** At once: what does not answer is waited for once. */
  async #each(group: readonly { item: Item; done: PromiseWithResolvers<void> }[]): Promise<void> {
    await Promise.all(group.map(({ item, done }) => this.#write([item]).then(done.resolve, done.reject)));
  }
}
