import { linux, type OpenedLibc, PinnedBytes } from './libc.ts';

/** Holds up its thread, by the monotonic clock of the system. */
export class ThreadSleep {
  readonly #libc: OpenedLibc['libc'];
  readonly #until: PinnedBytes;

  constructor({ ffi, libc }: OpenedLibc) {
    this.#libc = libc;
    this.#until = new PinnedBytes(ffi, 16);
  }

  /** Until then, or a signal. */
  until(monotonicUs: number): void {
    const { words, pointer } = this.#until;
    const seconds = Math.floor(monotonicUs / 1_000_000);
    words[0] = seconds;
    words[2] = (monotonicUs - seconds * 1_000_000) * 1000;
    this.#libc.clock_nanosleep(linux.CLOCK_MONOTONIC, linux.TIMER_ABSTIME, pointer, 0n);
  }
}
