import { type BlockPool, GatheredBytes } from './gathered-bytes.ts';
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

/** One segment being written: gathers whole records, and seals what was gathered as the next chunk of its file. */
export class SegmentSealer {
  readonly #key: Buffer;
  readonly #header: Buffer;
  readonly #gathered: GatheredBytes;
  /** The bytes of the file that were made and not taken. */
  #made: Buffer[];
  #nextChunk = 0;
  /** Bytes of records before those that are gathered. */
  #sealedBytes = 0;
  #isClosed = false;

  constructor(segmentId: string, key: Buffer, pool: BlockPool) {
    this.#key = key;
    this.#header = segmentHeader(segmentId);
    this.#gathered = new GatheredBytes(pool);
    this.#made = [this.#header];
  }

  /** Of all records so far. */
  get recordBytes(): number {
    return this.#sealedBytes + this.#gathered.length;
  }

  /** @returns whether `seal` has to come before so many more */
  isFullFor(bytes: number): boolean {
    return this.#gathered.length > 0 && this.#gathered.length + bytes > maxRunBytes;
  }

  /** @param records one or more whole records; copied */
  add(records: Uint8Array): void {
    this.#gathered.add(records);
  }

  /** No record follows. */
  close(): void {
    this.#isClosed = true;
  }

  /**
   * Copies the records that lie behind the first `from` bytes of all, as far as they are not sealed yet.
   * @returns the position in `out` behind them
   */
  copyTo(out: Buffer, at: number, from: number): number {
    return this.#gathered.copyTo(out, at, Math.max(0, from - this.#sealedBytes));
  }

  /**
   * What the file has not yet, all that was gathered sealed; a closed segment ends with it, and its key is forgotten.
   * @returns valid until the next of any segment is taken
   */
  take(): Buffer {
    const madeBytes = this.#made.reduce((bytes, { length }) => bytes + length, 0);
    const ends = this.#isClosed ? chunkOverheadBytes : 0;
    reserveTaken(madeBytes + chunkOverheadBytes + this.#gathered.length + ends);
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
    return taken.subarray(0, at + chunkOverheadBytes);
  }

  /** Nobody wants it any more. */
  drop(): void {
    this.#gathered.clear();
    this.#made = [];
    this.#key.fill(0);
  }

  /** Makes a chunk of what was gathered. */
  seal(): void {
    reserveTaken(chunkOverheadBytes + this.#gathered.length);
    const bytes = this.#sealInto(0);
    if (bytes > 0) this.#made.push(Buffer.from(taken.subarray(0, bytes)));
  }

  /** @returns the position in `taken` behind the chunk, if there is one */
  #sealInto(at: number): number {
    const bytes = this.#gathered.length;
    if (bytes === 0) return at;
    const end = at + chunkOverheadBytes + bytes;
    this.#gathered.copyTo(taken, at + chunkHeaderBytes);
    this.#chunkInPlace(chunkData, taken.subarray(at, end));
    this.#sealedBytes += bytes;
    this.#gathered.clear();
    return end;
  }

  #chunkInPlace(kind: typeof chunkData | typeof chunkEnd, chunk: Buffer): void {
    sealChunkInPlace(this.#key, this.#header, this.#nextChunk++, kind, chunk);
  }
}

function reserveTaken(bytes: number): void {
  if (taken.length < bytes) taken = Buffer.allocUnsafeSlow(Math.max(bytes, minTakenBytes));
}
