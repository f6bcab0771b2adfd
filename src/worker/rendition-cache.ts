/**
 * Whole MP3 and MP4 files of finished recordings, so that only the first GET encodes. They are kept in memory: what lies on
 * disk is sealed, and an erased recording leaves nothing behind.
 */
export class RenditionCache {
  readonly #maxBytes: number;
  readonly #files = new Map<string, Uint8Array[]>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The chunks of the file, marked as just used. */
  get(key: string): readonly Uint8Array[] | undefined {
    const chunks = this.#files.get(key);
    if (!chunks) return undefined;
    this.#files.delete(key);
    this.#files.set(key, chunks);
    return chunks;
  }

  /** Everything of one recording: files are named by it, a slash and what they hold. */
  drop(recordingId: string): void {
    for (const [key, chunks] of this.#files) {
      if (!key.startsWith(`${recordingId}/`)) continue;
      this.#files.delete(key);
      this.#bytes -= byteLength(chunks);
    }
  }

  /** Files larger than a quarter of the cache are not kept: they would push out everything else. */
  put(key: string, chunks: Uint8Array[]): void {
    const bytes = byteLength(chunks);
    if (bytes > this.#maxBytes / 4 || this.#files.has(key)) return;
    this.#files.set(key, chunks);
    this.#bytes += bytes;
    for (const [oldest, old] of this.#files) {
      if (this.#bytes <= this.#maxBytes) return;
      this.#files.delete(oldest);
      this.#bytes -= byteLength(old);
    }
  }
}

function byteLength(chunks: readonly Uint8Array[]): number {
  return chunks.reduce((sum, chunk) => sum + chunk.length, 0);
}

/** The bytes [fromByte, toByte) of a file given in chunks. */
export function* sliceChunks(
  chunks: Iterable<Uint8Array>,
  fromByte: number,
  toByte: number,
): Generator<Uint8Array> {
  let at = 0;
  for (const chunk of chunks) {
    const part = chunk.subarray(Math.max(0, fromByte - at), Math.max(0, toByte - at));
    at += chunk.length;
    if (part.length > 0) yield part;
    if (at >= toByte) return;
  }
}
