import { type BlockPool, GatheredBytes } from './gathered-bytes.ts';
import { chunkData, chunkEnd, sealChunk, segmentHeader } from './segment.ts';

/** No chunk holds more records than this or one, so that none outgrows `maxChunkBodyBytes`. */
export const maxRunBytes = 256 * 1024;

/** A chunk's records while it is sealed; the same memory every time. */
let run: Buffer = Buffer.alloc(0);

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

  /** What the file has not yet, all that was gathered sealed; a closed segment ends with it, and its key is forgotten. */
  take(): Buffer {
    this.seal();
    if (this.#isClosed) this.#made.push(this.#chunk(chunkEnd, Buffer.alloc(0)));
    const bytes = this.#made.length === 1 ? this.#made[0]! : Buffer.concat(this.#made);
    this.#made = [];
    if (this.#isClosed) this.#key.fill(0);
    return bytes;
  }

  /** Nobody wants it any more. */
  drop(): void {
    this.#gathered.clear();
    this.#made = [];
    this.#key.fill(0);
  }

  /** Makes a chunk of what was gathered. */
  seal(): void {
    const bytes = this.#gathered.length;
    if (bytes === 0) return;
    if (run.length < bytes) run = Buffer.allocUnsafeSlow(bytes);
    this.#gathered.copyTo(run, 0);
    this.#made.push(this.#chunk(chunkData, run.subarray(0, bytes)));
    this.#sealedBytes += bytes;
    this.#gathered.clear();
  }

  #chunk(kind: typeof chunkData | typeof chunkEnd, body: Buffer): Buffer {
    return sealChunk(this.#key, this.#header, this.#nextChunk++, kind, body);
  }
}
