import { closeSync, openSync } from 'node:fs';
import { CallreelError } from '../errors.ts';
import type { Secret } from '../secret.ts';
import { FileWindow, isZero } from './file-window.ts';
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
  /** The next chunk, opened, that was left for later. */
  #held: Buffer | undefined;

  constructor(path: string, segmentId: string, key: Secret<Buffer>) {
    this.#path = path;
    this.#segmentId = segmentId;
    this.#key = key;
  }

  /** The final marker was read: nothing follows and nothing is missing. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** The last call of `records` left something for later that is there. */
  get isHolding(): boolean {
    return this.#held !== undefined;
  }

  /**
   * The records from where the last call stopped to the end of the file as it is now. A chunk cut off by the end of
   * the file is left for later. Payloads stay valid.
   * @param untilUs chunks from the first one on that begins with what arrived then, or later, are left for later
   * @throws CallreelError SPOOL_CORRUPT, after everything before the damage was given
   */
  *records(untilUs = Number.POSITIVE_INFINITY): Generator<SpoolRecord> {
    if (this.#held) {
      if (beginsUs(this.#held) >= untilUs) return;
      const held = this.#held;
      this.#held = undefined;
      yield* decodeRecords(held);
    }
    const fd = this.#open();
    if (fd === undefined) return;
    const window = new FileWindow(fd, this.#position);
    try {
      if (!this.#readHeader(window)) return;
      for (let body = this.#nextBody(window); body; body = this.#nextBody(window)) {
        if (beginsUs(body) >= untilUs) {
          this.#held = body;
          return;
        }
        yield* decodeRecords(body);
      }
    } finally {
      window.close();
      closeSync(fd);
    }
  }

  /**
   * Passes over all that is there by now.
   * @returns when the last record of it arrived; undefined where nothing was new, or it is damaged
   * @throws CallreelError SPOOL_CORRUPT where the segment's header is damaged
   */
  passOver(): number | undefined {
    const fd = this.#open();
    if (fd === undefined) return undefined;
    const window = new FileWindow(fd, this.#position);
    try {
      return this.#readHeader(window) ? this.#endsUs(window) : undefined;
    } finally {
      window.close();
      closeSync(fd);
    }
  }

  /** @returns undefined where the file is named by the manifest, and not settled yet */
  #open(): number | undefined {
    try {
      return openSync(this.#path, 'r');
    } catch (error) {
      if (isMissing(error) && this.#position === 0) return undefined;
      throw error;
    }
  }

  /** Opens the last chunk alone. */
  #endsUs(window: FileWindow): number | undefined {
    let last: Buffer | undefined;
    for (let bytes = wholeChunk(window); bytes > 0; ) {
      const next = wholeChunk(window, bytes);
      const chunk = window.peek(bytes)!;
      const hasRecords = bytes > chunkOverheadBytes;
      // The final marker has none, and is behind whoever has.
      if (hasRecords && next <= chunkOverheadBytes)
        last = openChunk(this.#key.reveal(), this.#header!, chunk);
      this.#advance(window, bytes);
      bytes = next;
    }
    if (!last) return undefined;
    let arrivalUs = 0;
    for (const record of decodeRecords(last))
      if (record.kind !== 'format') arrivalUs = Math.max(arrivalUs, record.arrivalUs);
    return arrivalUs;
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
      if (window.restBytes === chunk.length && isZero(chunk.subarray(chunk.length - tagBytes)))
        return undefined;
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

/** @returns 0 where no whole chunk is, so many bytes on */
function wholeChunk(window: FileWindow, behindBytes = 0): number {
  const head = window.peek(behindBytes + chunkHeaderBytes);
  const parsed = head && parseChunkHeader(head.subarray(behindBytes));
  const bytes = parsed ? chunkOverheadBytes + parsed.bodyBytes : 0;
  return window.peek(behindBytes + bytes) ? bytes : 0;
}

/** When the first record of a chunk arrived that says so. */
function beginsUs(body: Uint8Array): number {
  for (const record of decodeRecords(body)) if (record.kind !== 'format') return record.arrivalUs;
  return 0;
}
