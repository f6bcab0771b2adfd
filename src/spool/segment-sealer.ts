import type { GatheredRecords } from './gathered-records.ts';
import {
  chunkData,
  chunkEnd,
  chunkHeaderBytes,
  chunkOverheadBytes,
  sealChunkInPlace,
  segmentHeader,
} from './segment.ts';

/** No chunk holds more records than this or one, so that none outgrows `maxChunkBodyBytes`. */
export const maxRunBytes = 256 * 1024;
const minTakenBytes = 64 * 1024;

/** What is taken, while it is sealed; the same memory every time. */
let taken: Buffer = Buffer.alloc(0);

/** One segment being written: seals the records that were gathered as the next chunk of its file. */
export class SegmentSealer {
  readonly #key: Buffer;
  readonly #header: Buffer;
  readonly #records: GatheredRecords;
  /** Of its records; -1 when it has nothing to do with them any more. */
  #row: number;
  /** The bytes of the file that were made and not taken. */
  #made: Buffer[];
  #nextChunk = 0;
  #isClosed = false;
  #isDropped = false;

  /** @param row a new one, which it forgets when the segment's last bytes were taken */
  constructor(segmentId: string, key: Buffer, records: GatheredRecords, row: number) {
    this.#key = key;
    this.#header = segmentHeader(segmentId);
    this.#records = records;
    this.#row = row;
    this.#made = [this.#header];
  }

  /** The journal has that no record follows. */
  close(): void {
    this.#isClosed = true;
    if (this.#isDropped) this.#forgetRow();
  }

  uncountedBytes(): number {
    return this.#row < 0 ? 0 : this.#records.count(this.#row);
  }

  /**
   * What the file has not yet, all that was gathered sealed; a closed segment ends with it, and its key is forgotten.
   * @returns valid until the next of any segment is taken
   */
  take(): Buffer {
    const madeBytes = this.#made.reduce((bytes, { length }) => bytes + length, 0);
    const ends = this.#isClosed ? chunkOverheadBytes : 0;
    reserveTaken(madeBytes + chunkOverheadBytes + this.#records.length(this.#row) + ends);
    let at = 0;
    for (const made of this.#made) {
      taken.set(made, at);
      at += made.length;
    }
    this.#made = [];
    at = this.#sealInto(at);
    if (!this.#isClosed) return taken.subarray(0, at);
    this.#chunkInPlace(chunkEnd, taken.subarray(at, at + chunkOverheadBytes));
    this.#key.fill(0);
    this.#forgetRow();
    return taken.subarray(0, at + chunkOverheadBytes);
  }

  /** Nobody wants it any more. */
  drop(): void {
    this.#made = [];
    this.#key.fill(0);
    if (this.#row < 0) return;
    this.#isDropped = true;
    this.#records.drop(this.#row);
    if (this.#isClosed) this.#forgetRow();
  }

  /** Makes a chunk of what was gathered. */
  seal(): void {
    reserveTaken(chunkOverheadBytes + this.#records.length(this.#row));
    const bytes = this.#sealInto(0);
    if (bytes > 0) this.#made.push(Buffer.from(taken.subarray(0, bytes)));
  }

  /** @returns the position in `taken` behind the chunk, if there is one */
  #sealInto(at: number): number {
    const bytes = this.#records.length(this.#row);
    if (bytes === 0) return at;
    const end = at + chunkOverheadBytes + bytes;
    this.#records.copyTo(this.#row, taken, at + chunkHeaderBytes);
    this.#chunkInPlace(chunkData, taken.subarray(at, end));
    this.#records.clear(this.#row);
    return end;
  }

  #forgetRow(): void {
    if (this.#row >= 0) this.#records.forget(this.#row);
    this.#row = -1;
  }

  #chunkInPlace(kind: typeof chunkData | typeof chunkEnd, chunk: Buffer): void {
    sealChunkInPlace(this.#key, this.#header, this.#nextChunk++, kind, chunk);
  }
}

function reserveTaken(bytes: number): void {
  if (taken.length < bytes) taken = Buffer.allocUnsafeSlow(Math.max(bytes, minTakenBytes));
}
