import { type FfiModule, PinnedBytes } from './libc.ts';
import type { Uring } from './uring.ts';

const registerBufferRing = 22n;
/** struct io_uring_buf_reg */
const registrationBytes = 40;
/** struct io_uring_buf: address, length, number; the tail of the ring lies in what the first one has left over. */
const entryWords = 4;
const entryHalves = 8;
const idHalf = 6;
const tailHalf = 7;
const pageBytes = 4096;

/** Views of a buffer that are kept, by the lower bits of their length: packets of a few lengths make no garbage. */
const keptViews = 16;

/**
 * Memory that the kernel takes for what it receives, a buffer for each datagram, and that is given back when the datagram
 * was dealt with (io_uring_setup_buf_ring(3)).
 */
export class ProvidedBuffers {
  /** What the group is known by in submissions. */
  readonly group = 0;
  readonly bufferBytes: number;
  readonly count: number;
  readonly #buffers: PinnedBytes;
  /** Of two pages at least, one of which begins where the kernel wants the ring to begin. */
  readonly #ring: PinnedBytes;
  readonly #words: Uint32Array;
  readonly #halves: Uint16Array;
  readonly #views: Uint8Array[] = [];
  #given = 0;

  /**
   * @param count a power of two
   * @param bufferBytes a multiple of 8
   * @throws Error where the kernel does not let us
   */
  constructor(ffi: FfiModule, uring: Uring, count: number, bufferBytes: number) {
    this.count = count;
    this.bufferBytes = bufferBytes;
    this.#buffers = new PinnedBytes(ffi, count * bufferBytes);
    const ringBytes = count * entryWords * 4;
    this.#ring = new PinnedBytes(ffi, ringBytes + pageBytes);
    const skipped = (pageBytes - Number(this.#ring.pointer % BigInt(pageBytes))) % pageBytes;
    this.#words = new Uint32Array(this.#ring.words.buffer, skipped, count * entryWords);
    this.#halves = new Uint16Array(this.#ring.words.buffer, skipped, count * entryHalves);
    const registration = new PinnedBytes(ffi, registrationBytes);
    registration.point(0, this.#ring.pointer + BigInt(skipped));
    registration.words[2] = count;
    registration.words[3] = this.group;
    uring.register(registerBufferRing, registration.pointer, 1n);
    for (let id = 0; id < count; id++) {
      this.#put(id, id);
      this.giveBack(id);
    }
  }

  /** Of all buffers; that of the number n begins at `n * bufferBytes / 4`. */
  get words(): Uint32Array {
    return this.#buffers.words;
  }

  /** @param offset the same each time */
  view(id: number, offset: number, bytes: number): Uint8Array {
    const place = id * keptViews + (bytes % keptViews);
    const kept = this.#views[place];
    if (kept?.length === bytes) return kept;
    const begin = id * this.bufferBytes + offset;
    return (this.#views[place] = this.#buffers.bytes.subarray(begin, begin + bytes));
  }

  /** The kernel may write to it from now on. */
  giveBack(id: number): void {
    const place = this.#given & (this.count - 1);
    // As long as they come back in the order in which they were taken, each is in its place already.
    if (this.#halves[place * entryHalves + idHalf] !== id) this.#put(place, id);
    this.#given = (this.#given + 1) & 0xffff;
    this.#halves[tailHalf] = this.#given;
  }

  #put(place: number, id: number): void {
    const pointer = this.#buffers.pointer + BigInt(id * this.bufferBytes);
    const at = place * entryWords;
    this.#words[at] = Number(pointer & 0xffff_ffffn);
    this.#words[at + 1] = Number(pointer >> 32n);
    this.#words[at + 2] = this.bufferBytes;
    this.#halves[place * entryHalves + idHalf] = id;
  }
}
