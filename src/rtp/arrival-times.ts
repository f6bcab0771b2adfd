import type { Clock } from '../clock.ts';
import { type Libc, linux, type OpenedLibc, PinnedBytes } from './libc.ts';

/** struct cmsghdr with a struct timespec: length, level, type, seconds, nanoseconds. */
export const timestampControlBytes = 32;

const clockAttempts = 4;
const clockSpreadUs = 50;

/**
 * When datagrams arrived: the kernel notes it by the time of day (SO_TIMESTAMPNS), whatever tick takes them. Their age
 * is what counts, so that the clock may be any, and it is bounded, since the time of day may be set meanwhile.
 */
export class ArrivalTimes {
  readonly #libc: Libc;
  readonly #clock: Clock;
  readonly #time: PinnedBytes;
  #nowUs: number;
  #beganUs: number;
  #seconds = 0;
  #nanoseconds = 0;
  #oldestUs = 0;

  constructor({ ffi, libc }: OpenedLibc, clock: Clock) {
    this.#libc = libc;
    this.#clock = clock;
    this.#time = new PinnedBytes(ffi, 16);
    this.#nowUs = this.#beganUs = clock.monotonicUs();
  }

  /** Before the datagrams of one turn: none of them came before the turn ahead of the last one. */
  begin(): void {
    this.#oldestUs = this.#beganUs;
    this.#readClocks();
    this.#beganUs = this.#nowUs;
  }

  /**
   * Both at one moment, as far as the system lets us: where the thread was held up between them, once more. The
   * monotonic one is read last, so that what is left of it makes an arrival late and never early.
   */
  #readClocks(): void {
    const { words, pointer } = this.#time;
    for (let attempt = 0; attempt < clockAttempts; attempt++) {
      const beforeUs = this.#clock.monotonicUs();
      this.#libc.clock_gettime(linux.CLOCK_REALTIME, pointer);
      this.#nowUs = this.#clock.monotonicUs();
      if (this.#nowUs - beforeUs <= clockSpreadUs) break;
    }
    this.#seconds = words[0]!;
    this.#nanoseconds = words[2]!;
  }

  /**
   * @param words in which the control data is, from this index on and of so many bytes
   * @returns monotonic microseconds; the turn's own where the kernel noted nothing
   */
  of(words: Uint32Array, at: number, bytes: number): number {
    const isNoted =
      bytes >= timestampControlBytes &&
      words[at + 2] === linux.SOL_SOCKET &&
      words[at + 3] === linux.SO_TIMESTAMPNS;
    if (!isNoted) return this.#nowUs;
    let ageUs = this.#ageUs(words, at);
    if (ageUs < 0) {
      // It came while the turn was under way: never told to be earlier than it was.
      this.#readClocks();
      ageUs = Math.max(0, this.#ageUs(words, at));
    }
    return Math.max(this.#oldestUs, this.#nowUs - ageUs);
  }

  #ageUs(words: Uint32Array, at: number): number {
    const seconds = this.#seconds - words[at + 4]!;
    return seconds * 1_000_000 + Math.trunc((this.#nanoseconds - words[at + 6]!) / 1000);
  }
}
