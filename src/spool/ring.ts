import { RingPieces } from './ring-pieces.ts';

/**
 * A byte ring in shared memory from one producer thread to one consumer thread, without locks. The producer never
 * waits: where there is no space, `reserve` says so. Entries lie contiguous and aligned to four bytes, each behind a
 * word of `length << 2 | kind`. The memory is used in pieces, one or more of them in a row at a time, that which the
 * consumer has left last before all others: hardly more of it is ever touched than was waiting at once, however fast
 * entries come. Behind the last entry of a piece stands a word of kind 0: where in the memory the next entry is.
 *
 * The indices of what was written and read count all bytes of pieces that were used, in the order of their use; an
 * index lies as far behind the beginning of a piece as what it stands for.
 */
const controlBytes = 64;
const writeIndex = 0;
const readIndex = 1;
const wakeIndex = 2;
const unsettledIndex = 3;
const wordBytes = 4;
const kindNext = 0;
const maxPieceBytes = 65_536;
/** So many at least: an entry of a quarter of the ring finds its pieces in a row wherever the last one lies. */
const minPieces = 16;
const minCapacityBytes = 1024;

/** 1 to 3 */
export type RingEntryKind = 1 | 2 | 3;

/** @param capacityBytes a power of two, 1024 at least */
export function createRing(capacityBytes: number): SharedArrayBuffer {
  const isPowerOfTwo = (capacityBytes & (capacityBytes - 1)) === 0;
  if (capacityBytes < minCapacityBytes || capacityBytes > 0x4000_0000 || !isPowerOfTwo)
    throw new TypeError(
      `a ring's capacity is a power of two, ${minCapacityBytes} at least: ${capacityBytes}`,
    );
  return new SharedArrayBuffer(controlBytes + capacityBytes);
}

/** From any thread. */
export function freeRingBytes(shared: SharedArrayBuffer): number {
  return freeBytes(new Int32Array(shared, 0, controlBytes / wordBytes), shared.byteLength - controlBytes);
}

function freeBytes(control: Int32Array, capacityBytes: number): number {
  return capacityBytes - ((Atomics.load(control, writeIndex) - Atomics.load(control, readIndex)) >>> 0);
}

function pieceBytesOf(capacityBytes: number): number {
  return Math.min(maxPieceBytes, capacityBytes / minPieces);
}

const aligned = (bytes: number): number => (bytes + 3) & ~3;

/** The only one of a new ring. */
export class RingProducer {
  /** The ring's memory: write only inside a reservation. */
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly capacityBytes: number;
  readonly #control: Int32Array;
  readonly #pieceBytes: number;
  readonly #pieces: RingPieces;
  #write = 0;
  /** What the consumer had read when it was last looked at. */
  #seenRead = 0;
  /** Where the next entry is written, if it ends before `#end`, and the index of that place. */
  #at = 0;
  #atIndex = 0;
  #end: number;
  #reservedBytes = 0;

  constructor(shared: SharedArrayBuffer) {
    this.capacityBytes = shared.byteLength - controlBytes;
    this.bytes = new Uint8Array(shared, controlBytes);
    this.view = new DataView(shared, controlBytes);
    this.#control = new Int32Array(shared, 0, controlBytes / wordBytes);
    this.#pieceBytes = pieceBytesOf(this.capacityBytes);
    this.#pieces = new RingPieces(this.capacityBytes / this.#pieceBytes);
    this.#pieces.take(1);
    this.#end = this.#pieceBytes - wordBytes;
  }

  /**
   * @returns the position in `bytes` at which to write the entry's `length` bytes, or -1 when the ring is full.
   *   A new reservation replaces one that was not committed.
   */
  reserve(kind: RingEntryKind, length: number): number {
    const needed = wordBytes + aligned(length);
    if (this.#at + needed > this.#end && !this.#goOn(needed)) return -1;
    this.view.setUint32(this.#at, ((length << 2) | kind) >>> 0);
    this.#reservedBytes = needed;
    return this.#at + wordBytes;
  }

  /** Makes the reserved entry visible, and all before it. */
  commit(): void {
    this.commitLater();
    this.publish();
  }

  /** Takes the reserved entry in; it is visible with the next one that `commit` makes so, or by `publish`. */
  commitLater(): void {
    this.#at += this.#reservedBytes;
    this.#atIndex = (this.#atIndex + this.#reservedBytes) >>> 0;
    this.#write = this.#atIndex;
    this.#reservedBytes = 0;
  }

  /** Makes all entries visible that were taken in; wakes the consumer when the ring is filling up. */
  publish(): void {
    Atomics.store(this.#control, writeIndex, this.#write | 0);
    if (this.#seenFreeBytes < this.capacityBytes >> 1 && this.freeBytes < this.capacityBytes >> 1)
      wakeRing(this.#control);
  }

  /** Looks at what the consumer has read: once in a while, and by itself where there seems to be no space. */
  refresh(): void {
    this.#seenRead = Atomics.load(this.#control, readIndex) >>> 0;
    this.#pieces.giveBack(this.#seenRead);
  }

  get freeBytes(): number {
    return freeBytes(this.#control, this.capacityBytes);
  }

  /** As the consumer said last. */
  get unsettledBytes(): number {
    return Atomics.load(this.#control, unsettledIndex) >>> 0;
  }

  get #seenFreeBytes(): number {
    return this.capacityBytes - ((this.#write - this.#seenRead) >>> 0);
  }

  /** In other pieces. @returns false where there are not enough */
  #goOn(neededBytes: number): boolean {
    const count = Math.ceil((neededBytes + wordBytes) / this.#pieceBytes);
    // What is behind this entry when the consumer has it lies in them.
    const behind = indexOfNextPiece(this.#atIndex, this.#pieceBytes);
    let first = this.#pieces.goOn(count, behind);
    if (first < 0) {
      this.refresh();
      first = this.#pieces.goOn(count, behind);
    }
    if (first < 0) return false;
    const at = first * this.#pieceBytes;
    this.view.setUint32(this.#at, at | kindNext);
    this.#at = at;
    this.#atIndex = behind;
    this.#end = at + count * this.#pieceBytes - wordBytes;
    return true;
  }

  wake(): void {
    wakeRing(this.#control);
  }
}

/** @param pieceBytes a power of two */
function indexOfNextPiece(index: number, pieceBytes: number): number {
  return ((index | (pieceBytes - 1)) + 1) >>> 0;
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

/** The only one of a new ring. */
export class RingConsumer {
  readonly #bytes: Buffer;
  readonly #view: DataView;
  readonly #control: Int32Array;
  readonly #pieceBytes: number;
  #read = 0;
  /** Where in the memory that is. */
  #at = 0;
  #seenWake = 0;

  constructor(shared: SharedArrayBuffer) {
    this.#bytes = Buffer.from(shared, controlBytes);
    this.#view = new DataView(shared, controlBytes);
    this.#control = new Int32Array(shared, 0, controlBytes / wordBytes);
    this.#pieceBytes = pieceBytesOf(shared.byteLength - controlBytes);
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
    const [bytes, view] = [this.#bytes, this.#view];
    let [read, at] = [this.#read, this.#at];
    try {
      while (read !== write && total < maxBytes) {
        const word = view.getUint32(at);
        const kind = word & 3;
        if (kind === kindNext) {
          at = word;
          read = indexOfNextPiece(read, this.#pieceBytes);
          continue;
        }
        const length = word >>> 2;
        const start = at + wordBytes;
        const step = wordBytes + aligned(length);
        total += step;
        read = (read + step) >>> 0;
        at += step;
        visit(kind as RingEntryKind, bytes, start, start + length);
      }
    } finally {
      this.#read = read;
      this.#at = at;
      Atomics.store(this.#control, readIndex, read | 0);
    }
    return total;
  }

  /** Tells the producer how much of what was taken is not where it belongs yet. */
  set unsettledBytes(bytes: number) {
    Atomics.store(this.#control, unsettledIndex, bytes | 0);
  }

  /** Blocks this thread until someone wakes the ring or the time is over. */
  wait(timeoutMs: number): void {
    Atomics.wait(this.#control, wakeIndex, this.#seenWake, timeoutMs);
    this.#seenWake = Atomics.load(this.#control, wakeIndex);
  }
}
