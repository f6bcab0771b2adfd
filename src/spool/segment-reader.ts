import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { CallreelError } from '../errors.ts';
import type { Secret } from '../secret.ts';
import { isMissing } from './files.ts';
import { decodeRecords } from './record-codec.ts';
import type { SpoolRecord } from './records.ts';
import {
  assertSegmentHeader,
  chunkEnd,
  chunkHeaderBytes,
  chunkOverheadBytes,
  openChunk,
  parseChunkHeader,
  segmentHeaderBytes,
  tagBytes,
} from './segment.ts';

const readAheadBytes = 256 * 1024;

/**
 * Reads one segment file chunk by chunk. At the end of what is there it stops; called again later it goes on with
 * what was written since.
 */
export class SegmentReader {
  readonly #path: string;
  readonly #segmentId: string;
  readonly #key: Secret<Buffer>;
  #header: Buffer | undefined;
  #position = 0;
  #nextChunk = 0;
  #isComplete = false;

  constructor(path: string, segmentId: string, key: Secret<Buffer>) {
    this.#path = path;
    this.#segmentId = segmentId;
    this.#key = key;
  }

  /** The final marker was read: nothing follows and nothing is missing. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /**
   * The records from where the last call stopped to the end of the file as it is now. A chunk cut off by the end of
   * the file is left for later. Payloads stay valid.
   * @throws CallreelError SPOOL_CORRUPT, after everything before the damage was given
   */
  *records(): Generator<SpoolRecord> {
    let fd: number;
    try {
      fd = openSync(this.#path, 'r');
    } catch (error) {
      // Named by the manifest, not settled yet.
      if (isMissing(error) && this.#position === 0) return;
      throw error;
    }
    try {
      yield* this.#recordsOf(fd);
    } finally {
      closeSync(fd);
    }
  }

  *#recordsOf(fd: number): Generator<SpoolRecord> {
    const window = new FileWindow(fd, this.#position);
    if (!this.#readHeader(window)) return;
    for (let body = this.#nextBody(window); body; body = this.#nextBody(window)) yield* decodeRecords(body);
  }

  #readHeader(window: FileWindow): boolean {
    if (this.#header) return true;
    const header = window.peek(segmentHeaderBytes);
    if (!header || isZero(header)) return false;
    assertSegmentHeader(header, this.#segmentId, this.#path);
    this.#header = Buffer.from(header);
    this.#advance(window, segmentHeaderBytes);
    return true;
  }

  #nextBody(window: FileWindow): Buffer | undefined {
    if (this.#isComplete) return undefined;
    const head = window.peek(chunkHeaderBytes);
    if (!head) return undefined;
    const parsed = parseChunkHeader(head);
    if (!parsed) {
      // A power cut may leave a length without its bytes.
      if (isZero(head) && window.isZeroToEnd()) return undefined;
      throw this.#corrupt('a chunk header is damaged');
    }
    if (parsed.chunkNumber !== this.#nextChunk) throw this.#corrupt('a chunk is out of order');
    const chunk = window.peek(chunkOverheadBytes + parsed.bodyBytes);
    if (!chunk) return undefined;
    const body = openChunk(this.#key.reveal(), this.#header!, chunk);
    if (!body) {
      if (window.isAtEnd(chunk.length) && isZero(chunk.subarray(chunk.length - tagBytes))) return undefined;
      throw this.#corrupt('a chunk does not open');
    }
    this.#nextChunk++;
    this.#isComplete = parsed.kind === chunkEnd;
    this.#advance(window, chunk.length);
    return body;
  }

  #advance(window: FileWindow, bytes: number): void {
    window.advance(bytes);
    this.#position += bytes;
  }

  #corrupt(message: string): CallreelError {
    return new CallreelError('SPOOL_CORRUPT', message, { where: `${this.#path}+${this.#position}` });
  }
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

/** A sliding view of a file as long as it is now, that holds at least the bytes asked for. */
class FileWindow {
  readonly #fd: number;
  readonly #size: number;
  #position: number;
  #bytes: Buffer = Buffer.alloc(0);

  constructor(fd: number, position: number) {
    this.#fd = fd;
    this.#size = fstatSync(fd).size;
    this.#position = position;
  }

  /** @returns undefined when the file ends before */
  peek(bytes: number): Buffer | undefined {
    if (this.#bytes.length < bytes) {
      // A file that is read while it grows has little that is new, and its end is looked at as often as that.
      const restBytes = this.#size - this.#position;
      if (restBytes < bytes) return undefined;
      this.#fill(Math.max(bytes, Math.min(readAheadBytes, restBytes)));
    }
    return this.#bytes.length < bytes ? undefined : this.#bytes.subarray(0, bytes);
  }

  advance(bytes: number): void {
    this.#bytes = this.#bytes.subarray(bytes);
    this.#position += bytes;
  }

  /** Whether nothing follows the next `bytes` bytes. */
  isAtEnd(bytes: number): boolean {
    return this.peek(bytes + 1) === undefined;
  }

  isZeroToEnd(): boolean {
    const probe = new FileWindow(this.#fd, this.#position);
    for (let part = probe.take(); part.length > 0; part = probe.take()) if (!isZero(part)) return false;
    return true;
  }

  take(): Buffer {
    this.#fill(readAheadBytes);
    const part = this.#bytes;
    this.advance(part.length);
    return part;
  }

  #fill(bytes: number): void {
    const filled = Buffer.allocUnsafeSlow(bytes);
    let length = this.#bytes.copy(filled);
    while (length < bytes) {
      const read = readSync(this.#fd, filled, length, bytes - length, this.#position + length);
      if (read === 0) break;
      length += read;
    }
    this.#bytes = filled.subarray(0, length);
  }
}
