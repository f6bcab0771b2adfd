import { errorName, type FfiModule, type Libc, linux, type OpenedLibc, PinnedBytes } from './libc.ts';

/** The same on every architecture. */
const setupCall = 425n;
const enterCall = 426n;
const registerCall = 427n;

const featureSingleMap = 1;
const offsetOfRings = 0n;
const offsetOfEntries = 0x1000_0000n;

/** struct io_uring_params, by its words. */
const paramsBytes = 120;
const params = {
  submissions: 0,
  completions: 1,
  flags: 2,
  features: 5,
  submissionOffsets: 10,
  completionOffsets: 20,
};

/** IORING_SETUP_* */
export const setup = {
  completionEntries: 1 << 3,
  submitAll: 1 << 7,
  flagWork: 1 << 9,
  singleIssuer: 1 << 12,
  deferWork: 1 << 13,
};
const enterGetEvents = 1n;
/** IORING_SQ_CQ_OVERFLOW, IORING_SQ_TASKRUN */
const workFlags = 2 | 4;

export const submissionWords = 16;
const completionWords = 4;

export interface UringOptions {
  /** A power of two, at least twice `entries`. */
  completions?: number;
  /** Of `setup`. */
  flags?: number;
}

/**
 * An io_uring of the kernel (io_uring(7)) used by one thread. For operations that never wait: `submit` hands over what was
 * filled in, and whatever the kernel did not complete by then is an error, so that nothing of our memory is the kernel's
 * once `submit` returned true. For those that wait: `enter` and `take`.
 */
export class Uring {
  /** A power of two; so many may be submitted at once. */
  readonly entries: number;
  /** The submission queue's entries; the one of number n is at `(n & (entries - 1)) * submissionWords`. */
  readonly submissions: Uint32Array;
  /** Of the completion that was taken last: what came of it, IORING_CQE_F_*, and the lower half of its user data. */
  result = 0;
  flags = 0;
  userData = 0;
  readonly #libc: Libc;
  readonly #fd: number;
  /** As arguments: making one for each call would leave garbage. */
  readonly #fdArgument: bigint;
  readonly #counts: readonly bigint[];
  readonly #mappings: { address: bigint; bytes: bigint }[] = [];
  readonly #rings: Uint32Array;
  readonly #tailWord: number;
  readonly #headWord: number;
  readonly #flagsWord: number;
  readonly #completionHeadWord: number;
  readonly #completionTailWord: number;
  readonly #completionMask: number;
  readonly #completionsWord: number;

  /**
   * @param entries a power of two
   * @throws Error that says which call fails here, and how
   */
  constructor(
    { ffi, libc }: OpenedLibc,
    entries: number,
    { completions: wanted, flags = 0 }: UringOptions = {},
  ) {
    this.#libc = libc;
    const memory = new PinnedBytes(ffi, paramsBytes);
    const { words } = memory;
    words[params.flags] = flags | (wanted === undefined ? 0 : setup.completionEntries);
    words[params.completions] = wanted ?? 0;
    this.#counts = Array.from({ length: entries + 1 }, (_, count) => BigInt(count));
    this.#fd = Number(libc.syscall(setupCall, BigInt(entries), memory.pointer, 0n, 0n, 0n, 0n));
    if (this.#fd === -1) throw new Error(`io_uring_setup: ${errorName(libc.errno())}`);
    this.#fdArgument = BigInt(this.#fd);
    try {
      if ((words[params.features]! & featureSingleMap) === 0) throw new Error('io_uring of an old kernel');
      if (words[params.submissions] !== entries) throw new Error('io_uring of another size');
      this.entries = entries;
      const [head, tail, mask, , sqFlags, , array] = words.subarray(params.submissionOffsets);
      const [cqHead, cqTail, cqMask, , , cqes] = words.subarray(params.completionOffsets);
      const completions = words[params.completions]!;
      const ringBytes = Math.max(array! + entries * 4, cqes! + completions * completionWords * 4);
      this.#rings = this.#map(ffi, ringBytes, offsetOfRings);
      this.submissions = this.#map(ffi, entries * submissionWords * 4, offsetOfEntries);
      this.#headWord = head! / 4;
      this.#tailWord = tail! / 4;
      this.#flagsWord = sqFlags! / 4;
      this.#completionHeadWord = cqHead! / 4;
      this.#completionTailWord = cqTail! / 4;
      this.#completionMask = this.#rings[cqMask! / 4]!;
      this.#completionsWord = cqes! / 4;
      const sane = this.#rings[mask! / 4] === entries - 1 && this.#completionMask === completions - 1;
      if (!sane) throw new Error('io_uring of another shape');
      for (let i = 0; i < entries; i++) this.#rings[array! / 4 + i] = i;
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Submissions that the kernel took since the beginning, modulo 2^32. */
  get taken(): number {
    return this.#rings[this.#headWord]!;
  }

  /**
   * Submits everything up to this number and calls `completed` with the result and the user data of each operation, in
   * any order; with -1 and 0 for each that was lost.
   * @returns whether all were taken and completed; otherwise the ring is not to be used any more
   */
  submit(until: number, completed: (result: number, userData: number) => void): boolean {
    this.#rings[this.#tailWord] = until;
    let waiting = (until - this.taken) >>> 0;
    let outstanding = waiting;
    while (waiting > 0) {
      const submitted = this.#enter(waiting, 0n);
      outstanding -= this.#reap(completed);
      if (submitted <= 0) break;
      waiting = (until - this.taken) >>> 0;
    }
    for (let lost = waiting; lost < outstanding; lost++) completed(-1, 0);
    return outstanding === 0;
  }

  /** There are completions, or the kernel has some for us that it put off. */
  get hasWork(): boolean {
    const rings = this.#rings;
    return (
      (rings[this.#flagsWord]! & workFlags) !== 0 ||
      rings[this.#completionHeadWord] !== rings[this.#completionTailWord]
    );
  }

  /**
   * Submits everything up to this number.
   * @param works also has the kernel do what it put off (`setup.deferWork`)
   * @returns false where it lets us no more
   */
  enter(until: number, works: boolean): boolean {
    this.#rings[this.#tailWord] = until;
    return this.#enter((until - this.taken) >>> 0, works ? enterGetEvents : 0n) >= 0;
  }

  /** @returns whether there was another completion */
  take(): boolean {
    const rings = this.#rings;
    const first = rings[this.#completionHeadWord]!;
    if (first === rings[this.#completionTailWord]!) return false;
    const at = this.#completionsWord + (first & this.#completionMask) * completionWords;
    this.userData = rings[at]!;
    this.result = rings[at + 2]! | 0;
    this.flags = rings[at + 3]!;
    rings[this.#completionHeadWord] = first + 1;
    return true;
  }

  /** @throws Error where the kernel does not let us */
  register(operation: bigint, argument: bigint, count: bigint): void {
    const result = this.#libc.syscall(registerCall, BigInt(this.#fd), operation, argument, count, 0n, 0n);
    if (result < 0n) throw new Error(`io_uring_register: ${errorName(this.#libc.errno())}`);
  }

  /** What was armed is let go of, later; its memory is left alone. */
  abandon(): void {
    this.#libc.close(this.#fd);
  }

  /** The mapped memory must not be touched afterwards. */
  close(): void {
    this.#libc.close(this.#fd);
    for (const { address, bytes } of this.#mappings) this.#libc.munmap(address, bytes);
  }

  #enter(submissions: number, flags: bigint): number {
    return this.#libc.shortSyscall(enterCall, this.#fdArgument, this.#counts[submissions]!, 0n, flags);
  }

  #reap(completed: (result: number, userData: number) => void): number {
    const rings = this.#rings;
    const first = rings[this.#completionHeadWord]!;
    const count = (rings[this.#completionTailWord]! - first) >>> 0;
    for (let i = 0; i < count; i++) {
      const at = this.#completionsWord + ((first + i) & this.#completionMask) * completionWords;
      completed(rings[at + 2]! | 0, rings[at]!);
    }
    rings[this.#completionHeadWord] = first + count;
    return count;
  }

  #map(ffi: FfiModule, byteLength: number, offset: bigint): Uint32Array {
    const bytes = BigInt(byteLength);
    const protection = linux.PROT_READ | linux.PROT_WRITE;
    const flags = linux.MAP_SHARED | linux.MAP_POPULATE;
    const address = this.#libc.mmap(0n, bytes, protection, flags, this.#fd, offset);
    if (BigInt.asIntN(64, address) === -1n)
      throw new Error(`mmap of io_uring: ${errorName(this.#libc.errno())}`);
    this.#mappings.push({ address, bytes });
    return new Uint32Array(ffi.toArrayBuffer(address, byteLength, false));
  }
}
