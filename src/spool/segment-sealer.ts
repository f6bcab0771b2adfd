import { chunkData, chunkEnd, sealChunk, segmentHeader } from './segment.ts';

/** Records gathered beyond this are sealed at once, so that no chunk outgrows `maxChunkBodyBytes`. */
const maxRunBytes = 256 * 1024;
const firstRunBytes = 2048;

/** One segment being written: gathers whole records into a run, seals the run as the next chunk. */
export class SegmentSealer {
  readonly #key: Buffer;
  readonly #header: Buffer;
  readonly #append: (bytes: Buffer) => void;
  #run: Buffer = Buffer.allocUnsafeSlow(firstRunBytes);
  #runBytes = 0;
  #nextChunk = 0;

  /** @param append takes the file's bytes in order, beginning with the header now */
  constructor(segmentId: string, key: Buffer, append: (bytes: Buffer) => void) {
    this.#key = key;
    this.#header = segmentHeader(segmentId);
    this.#append = append;
    append(this.#header);
  }

  /** @param records one or more whole records; copied */
  add(records: Uint8Array): void {
    if (this.#runBytes + records.length > maxRunBytes) this.seal();
    const needed = this.#runBytes + records.length;
    if (needed > this.#run.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#run.length * 2));
      this.#run.copy(grown, 0, 0, this.#runBytes);
      this.#run = grown;
    }
    this.#run.set(records, this.#runBytes);
    this.#runBytes = needed;
  }

  /** Makes a chunk of what was gathered since the last. */
  seal(): void {
    if (this.#runBytes === 0) return;
    const run = this.#run.subarray(0, this.#runBytes);
    this.#append(sealChunk(this.#key, this.#header, this.#nextChunk++, chunkData, run));
    this.#runBytes = 0;
  }

  /** Seals the rest and the final marker, and forgets the key. */
  close(): void {
    this.seal();
    this.#append(sealChunk(this.#key, this.#header, this.#nextChunk++, chunkEnd, Buffer.alloc(0)));
    this.#key.fill(0);
  }
}
