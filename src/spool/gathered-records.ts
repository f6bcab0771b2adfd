import { BlockSlabs, blockBytes } from './block-slabs.ts';
import { partHeaderBytes, writePartHeader } from './journal-group.ts';

/** Of a row, in numbers of 32 bits: what a record touches of a segment is one line of the cache. */
const rowNumbers = 16;
const idHigh = 0;
const idLow = 1;
const length = 2;
const firstBlock = 3;
const lastBlock = 4;
/** Bytes in the last block. */
const lastBytes = 5;
/** Of the records that the journal has not: how many bytes, and where they begin. */
const freshBytes = 6;
const freshBlock = 7;
const freshAt = 8;
const uncountedBytes = 9;
const state = 10;
/** Of the segments that the journal seals together: their group, and the row of the next of them. */
const group = 11;
const nextOfGroup = 12;
const stateOpen = 0;
const stateClosed = 1;
const stateDropped = 2;

/**
 * The records that segments have gathered since they were last sealed, a row for each segment. A turn of the writer
 * looks at every segment there is, most of them out of the caches by then, so they have no objects here.
 */
export class GatheredRecords {
  #rows = new Int32Array(64 * rowNumbers);
  #rowCount = 0;
  /** Of a row: bytes of records before those that are gathered; more than a number of 32 bits holds. */
  readonly #sealedBytes: number[] = [];
  readonly #freeRows: number[] = [];
  readonly #blocks = new BlockSlabs();
  #uncountedBytes = 0;

  /** Of all rows: gathered, and not counted by `count`. */
  get uncountedBytes(): number {
    return this.#uncountedBytes;
  }

  /** @param segmentId 16 hex digits @returns its row */
  open(segmentId: string): number {
    const row = this.#freeRows.pop() ?? this.#rowCount++;
    if (this.#rows.length <= row * rowNumbers) {
      const rows = new Int32Array(2 * this.#rows.length);
      rows.set(this.#rows);
      this.#rows = rows;
    }
    const at = row * rowNumbers;
    this.#rows.fill(0, at, at + rowNumbers);
    this.#rows[at + idHigh] = Number.parseInt(segmentId.slice(0, 8), 16);
    this.#rows[at + idLow] = Number.parseInt(segmentId.slice(8), 16);
    this.#rows[at + firstBlock] = this.#rows[at + lastBlock] = -1;
    this.#rows[at + group] = this.#rows[at + nextOfGroup] = -1;
    this.#sealedBytes[row] = 0;
    return row;
  }

  /** Nobody asks for the row any more. */
  forget(row: number): void {
    this.clear(row);
    this.count(row);
    this.#freeRows.push(row);
  }

  join(row: number, ofGroup: number): void {
    this.#rows[row * rowNumbers + group] = ofGroup;
  }

  groupOf(row: number): number {
    return this.#rows[row * rowNumbers + group]!;
  }

  /** @param next -1 behind the last of its group */
  follow(row: number, next: number): void {
    this.#rows[row * rowNumbers + nextOfGroup] = next;
  }

  /** @returns as `follow` was told */
  next(row: number): number {
    return this.#rows[row * rowNumbers + nextOfGroup]!;
  }

  /** No record follows. */
  close(row: number): void {
    this.#rows[row * rowNumbers + state]! |= stateClosed;
  }

  /** Nobody wants them, and what follows neither. */
  drop(row: number): void {
    this.clear(row);
    this.count(row);
    this.#rows[row * rowNumbers + state]! |= stateDropped;
  }

  isDropped(row: number): boolean {
    return (this.#rows[row * rowNumbers + state]! & stateDropped) !== 0;
  }

  /** Bytes that are gathered. */
  length(row: number): number {
    return this.#rows[row * rowNumbers + length]!;
  }

  /**
   * Whole records, copied.
   * @returns whether the journal had everything until now, and has not now
   */
  add(row: number, from: Buffer, start: number, end: number): boolean {
    const rows = this.#rows;
    const at = row * rowNumbers;
    if (rows[at + state] !== stateOpen) return false;
    const bytes = end - start;
    const had = rows[at + freshBytes];
    if (had === 0) {
      rows[at + freshBlock] = rows[at + lastBlock]!;
      rows[at + freshAt] = rows[at + lastBytes]!;
    }
    const used = rows[at + lastBytes]!;
    if (rows[at + lastBlock]! >= 0 && used + bytes <= blockBytes) {
      this.#blocks.write(rows[at + lastBlock]!, used, from, start, end);
      rows[at + lastBytes] = used + bytes;
    } else this.#addAcross(at, from, start, end);
    rows[at + length]! += bytes;
    rows[at + freshBytes]! += bytes;
    rows[at + uncountedBytes]! += bytes;
    this.#uncountedBytes += bytes;
    return had === 0 && bytes > 0;
  }

  /** @returns bytes gathered that were not asked for before */
  count(row: number): number {
    const at = row * rowNumbers + uncountedBytes;
    const bytes = this.#rows[at]!;
    this.#rows[at] = 0;
    this.#uncountedBytes -= bytes;
    return bytes;
  }

  /** @returns how much there is for the journal, with the part's header; 0 where it has everything */
  partBytes(row: number): number {
    const at = row * rowNumbers;
    const fresh = this.#rows[at + freshBytes]!;
    const is = this.#rows[at + state]!;
    if ((is & stateDropped) !== 0 || (fresh === 0 && is !== stateClosed)) return 0;
    return partHeaderBytes + fresh;
  }

  /** Writes what there is for the journal, which has it then. @returns the position behind it */
  writePart(row: number, out: Buffer, outAt: number): number {
    const rows = this.#rows;
    const at = row * rowNumbers;
    const fresh = rows[at + freshBytes]!;
    const position = this.#sealedBytes[row]! + rows[at + length]! - fresh;
    const isClosed = rows[at + state] === stateClosed;
    writePartHeader(out, outAt, rows[at + idHigh]! >>> 0, rows[at + idLow]! >>> 0, isClosed, position, fresh);
    rows[at + freshBytes] = 0;
    return this.#copy(rows[at + freshBlock]!, rows[at + freshAt]!, fresh, out, outAt + partHeaderBytes);
  }

  /** Copies all that is gathered. @returns the position behind it */
  copyTo(row: number, out: Buffer, outAt: number): number {
    const at = row * rowNumbers;
    return this.#copy(this.#rows[at + firstBlock]!, 0, this.#rows[at + length]!, out, outAt);
  }

  /** Everything that is gathered is sealed. */
  clear(row: number): void {
    const rows = this.#rows;
    const at = row * rowNumbers;
    this.#sealedBytes[row]! += rows[at + length]!;
    this.#blocks.give(rows[at + firstBlock]!);
    rows[at + length] = rows[at + lastBytes] = rows[at + freshBytes] = 0;
    rows[at + firstBlock] = rows[at + lastBlock] = -1;
  }

  #addAcross(at: number, from: Buffer, start: number, end: number): void {
    const rows = this.#rows;
    for (let done = start; done < end; ) {
      let used = rows[at + lastBytes]!;
      if (rows[at + lastBlock]! < 0 || used === blockBytes) {
        const block = this.#blocks.take(rows[at + lastBlock]!);
        if (rows[at + firstBlock]! < 0) rows[at + firstBlock] = rows[at + freshBlock] = block;
        rows[at + lastBlock] = block;
        used = 0;
      }
      const part = Math.min(end - done, blockBytes - used);
      this.#blocks.write(rows[at + lastBlock]!, used, from, done, done + part);
      rows[at + lastBytes] = used + part;
      done += part;
    }
  }

  #copy(block: number, blockAt: number, bytes: number, out: Buffer, outAt: number): number {
    const end = outAt + bytes;
    let [next, start] = [block, blockAt];
    for (let done = outAt; done < end; next = this.#blocks.next(next), start = 0) {
      const part = Math.min(end - done, blockBytes - start);
      if (part > 0) this.#blocks.read(next, start, part, out, done);
      done += part;
    }
    return end;
  }
}
