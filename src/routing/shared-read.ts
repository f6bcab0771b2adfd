/**
 * One read for all who ask before it begins. Whoever asks while one runs waits for the next, so that nobody is given what
 * was read before it asked.
 */
export class SharedRead<Result> {
  readonly #read: () => Promise<Result>;
  #running: Promise<unknown> = Promise.resolve();
  #next: Promise<Result> | undefined;

  constructor(read: () => Promise<Result>) {
    this.#read = read;
  }

  /** @throws what the read throws */
  get(): Promise<Result> {
    this.#next ??= this.#running.then(() => {
      this.#next = undefined;
      const reading = this.#read();
      this.#running = reading.catch(() => undefined);
      return reading;
    });
    return this.#next;
  }
}
