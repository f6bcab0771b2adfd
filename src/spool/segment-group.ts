import type { GatheredRecords } from './gathered-records.ts';
import { groupKey } from './journal-group.ts';
import type { JournalWriter } from './journal-writer.ts';
import type { SegmentSealer } from './segment-sealer.ts';
import type { TargetFile } from './target-files.ts';

/** A segment being written. */
export interface WrittenSegment {
  readonly key: Buffer;
  /** Of its records. */
  readonly row: number;
  readonly sealer: SegmentSealer;
  readonly file: TargetFile;
  readonly group: SegmentGroup;
  closed: boolean;
}

/** The segments of one conversation that the same recordings want: the journal seals what they get together. */
export class SegmentGroup {
  readonly #records: GatheredRecords;
  readonly #segments: WrittenSegment[] = [];
  readonly #rows: number[] = [];
  readonly #ended: () => void;
  #leader: WrittenSegment | undefined;
  #leaderRow = -1;
  #key: Buffer = Buffer.alloc(0);
  #path: Buffer = Buffer.alloc(0);
  /** Under this key. */
  #entries = 0;
  #hasClosed = false;
  /** Something of it is not in the journal. */
  isDirty = false;

  /** @param ended called when it has no segment any more; another may begin under its name */
  constructor(records: GatheredRecords, ended: () => void) {
    this.#records = records;
    this.#ended = ended;
  }

  add(segment: WrittenSegment): void {
    this.#segments.push(segment);
    this.#rows.push(segment.row);
  }

  /** No record of the segment follows. */
  close(segment: WrittenSegment): void {
    segment.closed = true;
    this.#records.close(segment.row);
    this.#hasClosed = true;
  }

  /** Puts into the journal what it has not. @returns the segments that have ended with it */
  journal(journal: JournalWriter): readonly WrittenSegment[] {
    this.isDirty = false;
    let bytes = 0;
    for (const row of this.#rows) bytes += this.#records.partBytes(row);
    if (bytes > 0) this.#write(journal, bytes);
    return this.#hasClosed ? this.#removeClosed() : none;
  }

  #write(journal: JournalWriter, bytes: number): void {
    const records = this.#records;
    if (this.#leaderRow < 0 || records.isDropped(this.#leaderRow)) this.#lead();
    let at = journal.beginGroup(this.#path, bytes);
    for (const row of this.#rows)
      if (records.partBytes(row) > 0) at = records.writePart(row, journal.batch, at);
    journal.endGroup(this.#path, bytes, this.#entries++, this.#key);
  }

  /** The key of one that was dropped is forgotten; of those that have something to write, none was. */
  #lead(): void {
    this.#forgetLeader();
    this.#leader = this.#segments.find(({ row }) => !this.#records.isDropped(row));
    if (!this.#leader) return;
    this.#leaderRow = this.#leader.row;
    this.#key = groupKey(this.#leader.key);
    this.#path = Buffer.from(this.#leader.file.relativePath, 'latin1');
    this.#entries = 0;
  }

  #forgetLeader(): void {
    this.#key.fill(0);
    this.#leader = undefined;
    this.#leaderRow = -1;
  }

  #removeClosed(): WrittenSegment[] {
    const ended = this.#segments.filter(({ closed }) => closed);
    for (const segment of ended) {
      const index = this.#segments.indexOf(segment);
      this.#segments.splice(index, 1);
      this.#rows.splice(index, 1);
      if (this.#leader === segment) this.#forgetLeader();
    }
    this.#hasClosed = false;
    if (this.#segments.length === 0) this.#ended();
    return ended;
  }
}

const none: readonly WrittenSegment[] = [];
