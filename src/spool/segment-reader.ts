import { closeSync, openSync } from 'node:fs';
import { CallreelError } from '../errors.ts';
import type { Secret } from '../secret.ts';
import type { ChunkBodies } from './chunk-bodies.ts';
import { FileWindow, isZero } from './file-window.ts';
import { isMissing } from './files.ts';
import type { KeptDescriptors, OpenedFile } from './kept-descriptors.ts';
import type { PacketSeries } from './packet-series.ts';
import { lastArrivalUs, RecordCursor } from './record-cursor.ts';
import type { SpoolRecord } from './records.ts';
import {
  assertSegmentHeader,
  chunkEnd,
  chunkHeaderBytes,
  chunkOverheadBytes,
  openChunk,
  openParsedChunk,
  parseChunkHeader,
  segmentHeaderBytes,
  tagBytes,
} from './segment.ts';

/** Of a reader: where its next record is. */
export interface SegmentPlace {
  position: number;
  nextChunk: number;
  readBytes: number;
  isComplete: boolean;
}

/** Of who reads many segments along, again and again. */
export interface SegmentReaderOptions {
  /** Payloads lie there, and stay valid until it is reset; otherwise in memory of their own. */
  bodies?: ChunkBodies | undefined;
  /** Files that stay open when records run out, until `release`. */
  files?: KeptDescriptors<OpenedFile> | undefined;
}

/**
 * Reads one segment file record by record. At the end of what is there it stops; called again later it goes on with
 * what was written since. Between the calls it holds a place and nothing of what is in the file, nor the file, unless
 * `files` keeps it open.
 */
export class SegmentReader implements OpenedFile {
  readonly #path: string;
  readonly #segmentId: string;
  readonly #key: Secret<Buffer>;
  readonly #bodies: ChunkBodies | undefined;
  readonly #files: KeptDescriptors<OpenedFile> | undefined;
  /** A byte a character: a buffer of so few bytes takes ten times as much, and there are several readers of each call. */
  #header: string | undefined;
  /** Of the chunk that is being read, or of the next one. */
  #position = 0;
  #nextChunk = 0;
  /** What of that chunk was read before. */
  #readBytes = 0;
  #isComplete = false;
  #isHolding = false;
  /** So far the chunks were looked through for the newest record. */
  #scannedTo = 0;
  /** How long the file was then. */
  #scannedBytes = 0;
  #newestUs = 0;
  #fd: number | undefined;
  #window: FileWindow | undefined;
  #cursor: RecordCursor | undefined;
  #chunkBytes = 0;
  #isLast = false;
  #body: Buffer | undefined;
  /** Somebody may hold a payload of the chunk that is being read. */
  #isHeld = false;
  /** Whether `newestUs` tells of what is there and left for later, too: that is unsealed for it. */
  looksAhead = true;
  /** What lies behind in the file is not there yet. */
  toBytes = Number.POSITIVE_INFINITY;
  /** How long the file was when it was last read; undefined where it was not since this was cleared. */
  seenBytes: number | undefined;
  /** As of `OpenedFile`. */
  fd: number | undefined;

  constructor(
    path: string,
    segmentId: string,
    key: Secret<Buffer>,
    { bodies, files }: SegmentReaderOptions = {},
  ) {
    this.#bodies = bodies;
    this.#files = files;
    this.#path = path;
    this.#segmentId = segmentId;
    this.#key = key;
  }

  /** The final marker was read: nothing follows and nothing is missing. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** The last call of `next` left something for later that is there. */
  get isHolding(): boolean {
    return this.#isHolding;
  }

  /** When the newest record arrived that was there when the records ran out last; 0 where there was none, or nobody looked. */
  get newestUs(): number {
    return this.#newestUs;
  }

  /**
   * The records from where the last call stopped to the end of the file as it is now. A chunk cut off by the end of
   * the file is left for later. Payloads stay valid.
   * @param untilUs as `next`
   * @throws CallreelError SPOOL_CORRUPT, after everything before the damage was given
   */
  *records(untilUs = Number.POSITIVE_INFINITY): Generator<SpoolRecord> {
    try {
      for (let record = this.next(untilUs); record; record = this.next(untilUs))
        yield record.kind === 'packet'
          ? {
              ...record,
              payload: Buffer.from(record.payload.buffer, record.payload.byteOffset, record.payload.length),
            }
          : record;
    } finally {
      this.close();
    }
  }

  /**
   * The next record; the file is closed again when there is none.
   * @param untilUs records from the first one on that arrived then, or later, are left for later
   * @param fromUs packets that arrived before are passed over
   * @returns valid until the next call; its payload stays so
   * @throws CallreelError SPOOL_CORRUPT, after everything before the damage was given
   */
  next(untilUs: number, fromUs = 0): SpoolRecord | undefined {
    try {
      const record = this.#next(untilUs, fromUs);
      if (!record) this.close();
      return record;
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /**
   * The next packets, where several follow one another.
   * @param untilUs as `next`
   * @returns valid until the next call, its payloads stay so; undefined where `next` has to tell
   * @throws CallreelError as `next`
   */
  nextSeries(untilUs: number): PacketSeries | undefined {
    try {
      for (let cursor = this.#cursor ?? this.#openNext(); cursor; cursor = this.#openNext()) {
        const series = cursor.peekSeries(untilUs);
        if (series) {
          cursor.advance();
          this.#isHeld = true;
        }
        if (series || !cursor.isDone) return series;
        this.#passChunk();
      }
      return undefined;
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Behind a record, or where they ran out. */
  get place(): SegmentPlace {
    const readBytes = this.#cursor?.offset ?? this.#readBytes;
    return { position: this.#position, nextChunk: this.#nextChunk, readBytes, isComplete: this.#isComplete };
  }

  /** Goes back: what was read from there on is read again. */
  goTo({ position, nextChunk, readBytes, isComplete }: SegmentPlace): void {
    this.close();
    this.#position = position;
    this.#nextChunk = nextChunk;
    this.#readBytes = readBytes;
    this.#isComplete = isComplete;
  }

  /** Closes the file, unless it is kept open; the next call opens it again. */
  close(): void {
    this.#readBytes = this.#cursor?.offset ?? this.#readBytes;
    this.#forgetBody();
    this.#window?.close();
    this.#window = undefined;
    const fd = this.#fd;
    this.#fd = undefined;
    if (fd === undefined) return;
    if (this.#files) this.#files.keepOrClose(this, fd);
    else closeSync(fd);
  }

  /** Closes the file in any case. */
  release(): void {
    this.close();
    this.#files?.close(this);
  }

  #next(untilUs: number, fromUs: number): SpoolRecord | undefined {
    this.#isHolding = false;
    for (;;) {
      const cursor = this.#cursor ?? this.#openNext();
      if (!cursor) return undefined;
      if (fromUs > 0) cursor.passPackets(Math.min(fromUs, untilUs));
      const record = cursor.peek();
      if (!record) {
        this.#passChunk();
        continue;
      }
      if (record.kind !== 'format' && record.arrivalUs >= untilUs) {
        this.#isHolding = true;
        if (this.looksAhead) this.#scan();
        return undefined;
      }
      cursor.advance();
      if (record.kind === 'packet' && record.arrivalUs < fromUs) continue;
      this.#isHeld = true;
      return record;
    }
  }

  /** @returns undefined where there is no whole chunk */
  #openNext(): RecordCursor | undefined {
    if (this.#isComplete) return undefined;
    const window = this.#window ?? this.#openWindow();
    if (!window || !this.#readHeader(window)) return undefined;
    const body = this.#nextBody(window);
    if (!body) return undefined;
    if (this.looksAhead) this.#sawChunk(this.#position + this.#chunkBytes, body);
    this.#body = body;
    this.#isHeld = false;
    return (this.#cursor = new RecordCursor(body, this.#readBytes));
  }

  #passChunk(): void {
    this.#forgetBody();
    this.#readBytes = 0;
    this.#nextChunk++;
    this.#isComplete = this.#isLast;
    this.#advance(this.#window!, this.#chunkBytes);
  }

  /** What was passed over, and told nobody anything, leaves its memory to the next. */
  #forgetBody(): void {
    if (this.#body && !this.#isHeld) this.#bodies?.giveBack(this.#body);
    this.#body = undefined;
    this.#cursor = undefined;
  }

  /** Of the chunks behind the one that is being read, the last one is opened: it tells when the newest record came. */
  #scan(): void {
    const window = this.#window!;
    const fileBytes = this.#position + window.restBytes;
    if (fileBytes === this.#scannedBytes) return;
    this.#scannedBytes = fileBytes;
    let at = this.#position;
    let last = 0;
    for (let bytes = wholeChunk(window); bytes > 0; ) {
      const next = wholeChunk(window, bytes);
      // The final marker has no records, and is behind whoever has.
      const isNewest = bytes > chunkOverheadBytes && next <= chunkOverheadBytes;
      if (isNewest && at + bytes > this.#scannedTo) {
        const chunk = window.peek(bytes)!;
        last = at + bytes;
        const body = openChunk(this.#key.reveal(), headerBytes(this.#header!), chunk, scanMemory(bytes));
        if (body) this.#sawChunk(last, body);
      }
      window.advance(bytes);
      at += bytes;
      bytes = next;
    }
  }

  /** What is damaged says nothing of time; it is found when it is read. */
  #sawChunk(end: number, body: Uint8Array): void {
    if (end <= this.#scannedTo) return;
    this.#scannedTo = end;
    try {
      this.#newestUs = Math.max(this.#newestUs, lastArrivalUs(body));
    } catch (error) {
      if (!(error instanceof CallreelError)) throw error;
    }
  }

  /** @returns undefined where the file is named by the manifest, and not settled yet */
  #openWindow(): FileWindow | undefined {
    if (this.toBytes <= this.#position) return undefined;
    try {
      this.#fd = this.fd ?? openSync(this.#path, 'r');
    } catch (error) {
      if (isMissing(error) && this.#position === 0) return undefined;
      throw error;
    }
    this.#window = new FileWindow(this.#fd, this.#position, this.toBytes);
    this.seenBytes = this.#window.fileBytes;
    return this.#window;
  }

  #readHeader(window: FileWindow): boolean {
    if (this.#header) return true;
    const header = window.peek(segmentHeaderBytes);
    if (!header || isZero(header)) return false;
    assertSegmentHeader(header, this.#segmentId, this.#path);
    this.#header = header.toString('latin1');
    this.#advance(window, segmentHeaderBytes);
    return true;
  }

  #nextBody(window: FileWindow): Buffer | undefined {
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
    const memory = this.#bodies?.take(parsed.bodyBytes);
    const body = openParsedChunk(this.#key.reveal(), headerBytes(this.#header!), chunk, parsed, memory);
    if (!body) {
      if (window.restBytes === chunk.length && isZero(chunk.subarray(chunk.length - tagBytes)))
        return undefined;
      throw this.#corrupt('a chunk does not open');
    }
    this.#chunkBytes = chunk.length;
    this.#isLast = parsed.kind === chunkEnd;
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

const headerMemory = Buffer.alloc(segmentHeaderBytes);

/** The same memory every time: it is taken at once. */
function headerBytes(text: string): Buffer {
  headerMemory.write(text, 'latin1');
  return headerMemory;
}

/** @returns 0 where no whole chunk is, so many bytes on */
function wholeChunk(window: FileWindow, behindBytes = 0): number {
  const head = window.peek(behindBytes + chunkHeaderBytes);
  const parsed = head && parseChunkHeader(head.subarray(behindBytes));
  const bytes = parsed ? chunkOverheadBytes + parsed.bodyBytes : 0;
  return window.peek(behindBytes + bytes) ? bytes : 0;
}

/** Of what is looked through and not kept; the same memory every time. */
let scanned: Buffer = Buffer.alloc(0);

function scanMemory(bytes: number): Buffer {
  if (scanned.length < bytes) scanned = Buffer.allocUnsafeSlow(2 * bytes);
  return scanned;
}
