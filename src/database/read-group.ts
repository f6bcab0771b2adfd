/**
 * What many ask for in one turn of the event loop is read in one query, and what is asked for while that runs in the
 * next one. Nobody is given what was read before asking. Where a query fails, each is read by itself, so that none fails
 * for another.
 */
export class ReadGroup<Row> {
  readonly #read: (ids: readonly string[]) => Promise<ReadonlyMap<string, Row>>;
  readonly #most: number;
  #waiting = new Map<string, PromiseWithResolvers<Row | undefined>>();
  #isRunning = false;

  /**
   * @param read gives the rows that are there, by their ids
   * @param most in a query
   */
  constructor(read: (ids: readonly string[]) => Promise<ReadonlyMap<string, Row>>, most = 100) {
    this.#read = read;
    this.#most = most;
  }

  /** @returns undefined where there is none @throws what the query of this one throws */
  get(id: string): Promise<Row | undefined> {
    const known = this.#waiting.get(id);
    if (known) return known.promise;
    const asked = Promise.withResolvers<Row | undefined>();
    this.#waiting.set(id, asked);
    if (!this.#isRunning) {
      this.#isRunning = true;
      setImmediate(() => void this.#run());
    }
    return asked.promise;
  }

  async #run(): Promise<void> {
    while (this.#waiting.size > 0) {
      const group = new Map([...this.#waiting].slice(0, this.#most));
      for (const id of group.keys()) this.#waiting.delete(id);
      try {
        const rows = await this.#read([...group.keys()]);
        for (const [id, { resolve }] of group) resolve(rows.get(id));
      } catch (error) {
        await this.#each(group, error);
      }
    }
    this.#isRunning = false;
  }

  async #each(
    group: ReadonlyMap<string, PromiseWithResolvers<Row | undefined>>,
    error: unknown,
  ): Promise<void> {
    if (group.size === 1) for (const { reject } of group.values()) reject(error);
    else
      await Promise.all(
        [...group].map(([id, { resolve, reject }]) =>
          this.#read([id]).then((rows) => resolve(rows.get(id)), reject),
        ),
      );
  }
}
