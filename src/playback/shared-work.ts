interface Running<Result> {
  result: Promise<Result>;
  abandon: AbortController;
  waiting: number;
}

/** The same work asked for several times at once (a hundred calls begin with one greeting) is done once. */
export class SharedWork<Result> {
  readonly #running = new Map<string, Running<Result>>();

  /**
   * @param work its signal aborts when nobody waits for the result any more
   * @throws what the work throws; the reason of `signal`
   */
  async do(
    key: string,
    work: (abandoned: AbortSignal) => Promise<Result>,
    signal?: AbortSignal,
  ): Promise<Result> {
    signal?.throwIfAborted();
    const running = this.#running.get(key) ?? this.#start(key, work);
    running.waiting++;
    const { promise: gaveUp, reject } = Promise.withResolvers<never>();
    const giveUp = () => reject(signal?.reason);
    signal?.addEventListener('abort', giveUp, { once: true });
    try {
      return await Promise.race([running.result, gaveUp]);
    } finally {
      signal?.removeEventListener('abort', giveUp);
      running.waiting--;
      if (running.waiting === 0) {
        this.#forget(key, running);
        running.abandon.abort();
      }
    }
  }

  #start(key: string, work: (abandoned: AbortSignal) => Promise<Result>): Running<Result> {
    const abandon = new AbortController();
    const result = work(abandon.signal);
    const running = { result, abandon, waiting: 0 };
    this.#running.set(key, running);
    const forget = () => this.#forget(key, running);
    result.then(forget, forget);
    return running;
  }

  #forget(key: string, running: Running<Result>): void {
    if (this.#running.get(key) === running) this.#running.delete(key);
  }
}
