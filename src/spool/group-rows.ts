import { gcmKeyBytes, gcmNonceBytes } from './gcm.ts';
import { sealGroup } from './journal-group.ts';

/** Of a row, in bytes: key and nonce as a body is sealed with them, the numbers below, and the path. */
const rowBytes = 192;
const numbersAt = gcmKeyBytes + gcmNonceBytes;
const pathAt = 64;
const maxPathBytes = rowBytes - pathAt;
/** The same memory in numbers of 32 bits, and where in a row each stands. */
const rowNumbers = rowBytes / 4;
const state = numbersAt / 4;
const stateDirty = 1;
const stateHasClosed = 2;
const firstSegment = state + 1;
const leader = state + 2;
const entries = state + 3;
const pathBytes = state + 4;
const firstRows = 64;

/**
 * What the journal asks of each group at every turn, side by side: its key, its path and a few numbers. A turn of the
 * writer looks at every group there is, most of them out of the caches by then, so they have no objects here.
 */
export class GroupRows {
  #bytes = Buffer.from(new ArrayBuffer(firstRows * rowBytes));
  #numbers = new Int32Array(this.#bytes.buffer);
  #rowCount = 0;
  readonly #freeRows: number[] = [];

  /** @returns a row without segments and without a leader */
  open(): number {
    const row = this.#freeRows.pop() ?? this.#rowCount++;
    if ((row + 1) * rowBytes > this.#bytes.length) this.#grow();
    this.#clear(row);
    return row;
  }

  /** Nobody asks for the row any more. */
  forget(row: number): void {
    this.#clear(row);
    this.#freeRows.push(row);
  }

  /** Something of it is not in the journal. @returns whether that is new */
  markDirty(row: number): boolean {
    const at = row * rowNumbers + state;
    const was = this.#numbers[at]!;
    this.#numbers[at] = was | stateDirty;
    return (was & stateDirty) === 0;
  }

  /** The journal has everything of it. */
  markClean(row: number): void {
    this.#numbers[row * rowNumbers + state]! &= ~stateDirty;
  }

  hasClosed(row: number): boolean {
    return (this.#numbers[row * rowNumbers + state]! & stateHasClosed) !== 0;
  }

  setHasClosed(row: number, has: boolean): void {
    const at = row * rowNumbers + state;
    if (has) this.#numbers[at]! |= stateHasClosed;
    else this.#numbers[at]! &= ~stateHasClosed;
  }

  /** @returns the row of its first segment's records; -1 where it has none */
  firstSegment(row: number): number {
    return this.#numbers[row * rowNumbers + firstSegment]!;
  }

  setFirstSegment(row: number, segmentRow: number): void {
    this.#numbers[row * rowNumbers + firstSegment] = segmentRow;
  }

  /** @returns the row of the leader's records; -1 where there is no leader */
  leader(row: number): number {
    return this.#numbers[row * rowNumbers + leader]!;
  }

  /** @param key copied @param path of the leader's segment, ASCII */
  lead(row: number, segmentRow: number, key: Uint8Array, path: string): void {
    if (key.length !== gcmKeyBytes || path.length > maxPathBytes)
      throw new RangeError('no key or path of a group');
    const at = row * rowNumbers;
    this.#bytes.set(key, row * rowBytes);
    this.#bytes.write(path, row * rowBytes + pathAt, 'latin1');
    this.#numbers[at + leader] = segmentRow;
    this.#numbers[at + entries] = 0;
    this.#numbers[at + pathBytes] = path.length;
  }

  /** And its key. */
  forgetLeader(row: number): void {
    this.#bytes.fill(0, row * rowBytes, row * rowBytes + gcmKeyBytes);
    this.#numbers[row * rowNumbers + leader] = -1;
  }

  pathBytes(row: number): number {
    return this.#numbers[row * rowNumbers + pathBytes]!;
  }

  /** @returns the position behind it */
  writePath(row: number, out: Buffer, outAt: number): number {
    const bytes = this.#bytes;
    const from = row * rowBytes + pathAt;
    const length = this.#numbers[row * rowNumbers + pathBytes]!;
    for (let k = 0; k < length; k++) out[outAt + k] = bytes[from + k]!;
    return outAt + length;
  }

  /** Seals a body where it is as the next entry under this key. @returns the entry's number */
  seal(row: number, out: Buffer, outAt: number, bodyBytes: number): number {
    const number = this.#numbers[row * rowNumbers + entries]!++ >>> 0;
    sealGroup(this.#bytes, row * rowBytes, number, out, outAt, bodyBytes);
    return number;
  }

  #clear(row: number): void {
    this.#bytes.fill(0, row * rowBytes, (row + 1) * rowBytes);
    this.setFirstSegment(row, -1);
    this.#numbers[row * rowNumbers + leader] = -1;
  }

  #grow(): void {
    const old = this.#bytes;
    this.#bytes = Buffer.from(new ArrayBuffer(2 * old.length));
    this.#bytes.set(old);
    this.#numbers = new Int32Array(this.#bytes.buffer);
    // There are keys in it.
    old.fill(0);
  }
}
