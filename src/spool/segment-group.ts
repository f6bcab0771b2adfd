import { groupKey, partHeaderBytes, writePartHeader } from './journal-group.ts';
import type { JournalWriter } from './journal-writer.ts';
import type { SegmentSealer } from './segment-sealer.ts';
import type { TargetFile } from './target-files.ts';

/** A segment being written. */
export interface WrittenSegment {
  readonly segmentId: string;
  readonly key: Buffer;
  readonly sealer: SegmentSealer;
  readonly file: TargetFile;
  readonly group: SegmentGroup;
  /** Bytes of its records that the journal has. */
  journaledBytes: number;
  closed: boolean;
}

interface Leader {
  readonly segment: WrittenSegment;
  readonly key: Buffer;
  entries: number;
}

/** The body of an entry before it is sealed; the same memory every time. */
let body: Buffer = Buffer.allocUnsafeSlow(16 * 1024);

/** The segments of one conversation that the same recordings want: the journal seals what they get together. */
export class SegmentGroup {
  readonly #segments = new Set<WrittenSegment>();
  readonly #ended: () => void;
  #leader: Leader | undefined;
  /** Something of it is not in the journal. */
  isDirty = false;

  /** @param ended called when it has no segment any more; another may begin under its name */
  constructor(ended: () => void) {
    this.#ended = ended;
  }

  add(segment: WrittenSegment): void {
    this.#segments.add(segment);
  }

  /** Puts into the journal what it has not. @returns the segments that have ended with it */
  journal(journal: JournalWriter): WrittenSegment[] {
    this.isDirty = false;
    const ended: WrittenSegment[] = [];
    let bytes = 0;
    for (const segment of this.#segments) {
      bytes = this.#write(segment, bytes);
      if (segment.closed) ended.push(segment);
    }
    const leader = bytes > 0 ? this.#leading() : undefined;
    if (leader)
      journal.addGroup(
        leader.segment.file.relativePath,
        leader.entries++,
        leader.key,
        body.subarray(0, bytes),
      );
    for (const segment of ended) this.#remove(segment);
    if (this.#segments.size === 0) this.#ended();
    return ended;
  }

  #write(segment: WrittenSegment, at: number): number {
    const { segmentId, sealer, closed, journaledBytes: position } = segment;
    const recordBytes = sealer.recordBytes - position;
    if (segment.file.abandoned || (recordBytes === 0 && !closed)) return at;
    const recordsAt = at + partHeaderBytes;
    growBody(recordsAt + recordBytes, at);
    writePartHeader(body, at, { segmentId, closed, position }, recordBytes);
    segment.journaledBytes = sealer.recordBytes;
    return sealer.copyTo(body, recordsAt, position);
  }

  #leading(): Leader | undefined {
    if (this.#leader?.segment.file.abandoned) this.#leader = undefined;
    if (this.#leader) return this.#leader;
    // The key of one that was abandoned is forgotten.
    for (const segment of this.#segments)
      if (!segment.file.abandoned)
        return (this.#leader = { segment, key: groupKey(segment.key), entries: 0 });
    return undefined;
  }

  #remove(segment: WrittenSegment): void {
    this.#segments.delete(segment);
    if (this.#leader?.segment !== segment) return;
    this.#leader.key.fill(0);
    this.#leader = undefined;
  }
}

function growBody(bytes: number, used: number): void {
  if (bytes <= body.length) return;
  const grown = Buffer.allocUnsafeSlow(bytes * 2);
  body.copy(grown, 0, 0, used);
  body = grown;
}
