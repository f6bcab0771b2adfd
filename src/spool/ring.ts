/**
 * A byte ring in shared memory from one producer thread to one consumer thread, without locks. The producer never
 * waits: where there is no space, `reserve` says so. Entries lie contiguous and aligned to four bytes, each behind a
 * word of `length << 2 | kind`; kind 0 fills the rest of the ring where an entry would not fit before its end.
 *
 * A ring that is found empty begins at its first byte again: its indices go on, and the origin tells which of them
 * lies there. So hardly more of the memory is ever touched than was waiting at once.
 */
const controlBytes = 64;
const writeIndex = 0;
const readIndex = 1;
const wakeIndex = 2;
const originIndex = 3;
const wordBytes = 4;
const kindSkip = 0;

/** 1 to 3 */
export type RingEntryKind = 1 | 2 | 3;

/** @param capacityBytes a power of two */
export function createRing(capacityBytes: number): SharedArrayBuffer {
  if (capacityBytes < 64 || capacityBytes > 0x4000_0000 || (capacityBytes & (capacityBytes - 1)) !== 0)
    throw new TypeError(`a ring's capacity is a power of two: ${capacityBytes}`);
  return new SharedArrayBuffer(controlBytes + capacityBytes);
}

const aligned = (bytes: number): number => (bytes + 3) & ~3;

export class RingProducer {
  /** The ring's memory: write only inside a reservation. */
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly capacityBytes: number;
  readonly #control: Int32Array;
  readonly #mask: number;
  #write: number;
  /** What the consumer had read when it was last looked at. */
  #seenRead: number;
  /** Only the producer moves it, and only while nothing waits. */
  #origin: number;
  #reservedEnd = 0;

  constructor(shared: SharedArrayBuffer) {
    this.capacityBytes = shared.byteLength - controlBytes;
    this.bytes = new Uint8Array(shared, controlBytes);
    this.view = new DataView(shared, controlBytes);
    this.#control = new Int32Array(shared, 0, controlBytes / wordBytes);
    this.#mask = this.capacityBytes - 1;
    this.#write = Atomics.load(this.#control, writeIndex) >>> 0;
    this.#seenRead = Atomics.load(this.#control, readIndex) >>> 0;
    this.#origin = Atomics.load(this.#control, originIndex) >>> 0;
  }

  /**
   * @returns the position in `bytes` at which to write the entry's `length` bytes, or -1 when the ring is full.
   *   A new reservation replaces one that was not committed.
   */
  reserve(kind: RingEntryKind, length: number): number {
    const needed = wordBytes + aligned(length);
    let skip = this.#skipFor(needed);
    if (skip < 0) {
      this.refresh();
      skip = this.#skipFor(needed);
      if (skip < 0) return -1;
    }
    const at = (this.#write - this.#origin) & this.#mask;
    if (skip > 0) this.view.setUint32(at, ((skip - wordBytes) << 2) | kindSkip);
    const start = (at + skip) & this.#mask;
    this.view.setUint32(start, ((length << 2) | kind) >>> 0);
    this.#reservedEnd = (this.#write + skip + needed) >>> 0;
    return start + wordBytes;
  }

  /** Makes the reserved entry visible; wakes the consumer when the ring is filling up. */
  commit(): void {
    this.#write = this.#reservedEnd;
    Atomics.store(this.#control, writeIndex, this.#write | 0);
    if (this.#seenFreeBytes < this.capacityBytes >> 1 && this.freeBytes < this.capacityBytes >> 1)
      wakeRing(this.#control);
  }

  /** Looks at what the consumer has read: once in a while, and by itself where there seems to be no space. */
  refresh(): void {
    this.#seenRead = Atomics.load(this.#control, readIndex) >>> 0;
    if (this.#seenRead !== this.#write || this.#origin === this.#write) return;
    this.#origin = this.#write;
    Atomics.store(this.#control, originIndex, this.#origin | 0);
  }

  get freeBytes(): number {
    const read = Atomics.load(this.#control, readIndex) >>> 0;
    return this.capacityBytes - ((this.#write - read) >>> 0);
  }

  get #seenFreeBytes(): number {
    return this.capacityBytes - ((this.#write - this.#seenRead) >>> 0);
  }

  /** @returns bytes to be left out before the end of the ring, where the entry does not fit; -1 where there is no space */
  #skipFor(neededBytes: number): number {
    const untilEnd = this.capacityBytes - ((this.#write - this.#origin) & this.#mask);
    const skip = neededBytes > untilEnd ? untilEnd : 0;
    return skip + neededBytes > this.#seenFreeBytes ? -1 : skip;
  }

  wake(): void {
    wakeRing(this.#control);
  }
}

/** Ends a wait of the consumer; from any thread. */
export function wakeConsumer(shared: SharedArrayBuffer): void {
  wakeRing(new Int32Array(shared, 0, controlBytes / wordBytes));
}

function wakeRing(control: Int32Array): void {
  Atomics.add(control, wakeIndex, 1);
  Atomics.notify(control, wakeIndex);
}

/** @param bytes of the whole ring; the entry lies in it from `start` to `end` */
export type RingVisitor = (kind: RingEntryKind, bytes: Buffer, start: number, end: number) => void;

export class RingConsumer {
  readonly #bytes: Buffer;
  readonly #view: DataView;
  readonly #control: Int32Array;
  readonly #mask: number;
  #read: number;
  #seenWake = 0;

  constructor(shared: SharedArrayBuffer) {
    const capacityBytes = shared.byteLength - controlBytes;
    this.#bytes = Buffer.from(shared, controlBytes);
    this.#view = new DataView(shared, controlBytes);
    this.#control = new Int32Array(shared, 0, controlBytes / wordBytes);
    this.#mask = capacityBytes - 1;
    this.#read = Atomics.load(this.#control, readIndex) >>> 0;
  }

  get isEmpty(): boolean {
    return Atomics.load(this.#control, writeIndex) >>> 0 === this.#read;
  }

  /** As `take`, with the bytes of each entry by themselves. */
  drain(visit: (kind: RingEntryKind, bytes: Uint8Array) => void, maxBytes: number): number {
    return this.take((kind, bytes, start, end) => visit(kind, bytes.subarray(start, end)), maxBytes);
  }

  /**
   * Hands out the entries that are there, in order, until about `maxBytes` are read; what they lie in is valid only
   * during the call. Their space is free again once all of them were handed out. @returns bytes read
   */
  take(visit: RingVisitor, maxBytes: number): number {
    let total = 0;
    const write = Atomics.load(this.#control, writeIndex) >>> 0;
    // What was written since the ring was empty was written behind it.
    const origin = Atomics.load(this.#control, originIndex) >>> 0;
    const [bytes, view, mask] = [this.#bytes, this.#view, this.#mask];
    let read = this.#read;
    try {
      while (read !== write && total < maxBytes) {
        const at = (read - origin) & mask;
        const word = view.getUint32(at);
        const length = word >>> 2;
        const kind = word & 3;
        const start = at + wordBytes;
        const step = wordBytes + aligned(length);
        total += step;
        read = (read + step) >>> 0;
        if (kind !== kindSkip) visit(kind as RingEntryKind, bytes, start, start + length);
      }
    } finally {
      this.#read = read;
      Atomics.store(this.#control, readIndex, read | 0);
    }
    return total;
  }

  /** Blocks this thread until someone wakes the ring or the time is over. */
  wait(timeoutMs: number): void {
    Atomics.wait(this.#control, wakeIndex, this.#seenWake, timeoutMs);
    this.#seenWake = Atomics.load(this.#control, wakeIndex);
  }
}
