import type { GatheredRecords } from './gathered-records.ts';
import { GroupRows } from './group-rows.ts';
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
  closed: boolean;
}

/** What a turn has no need of. */
interface SegmentGroup {
  readonly name: string;
  segments: WrittenSegment[];
}

/** Segments of one conversation that the same recordings want: the journal seals what they get together. */
export class SegmentGroups {
  readonly #records: GatheredRecords;
  readonly #ended: (segment: WrittenSegment) => void;
  readonly #rows = new GroupRows();
  /** By row. */
  readonly #groups: (SegmentGroup | undefined)[] = [];
  readonly #rowByName = new Map<string, number>();
  #dirty: number[] = [];

  /** @param ended the journal has that no record of the segment follows */
  constructor(records: GatheredRecords, ended: (segment: WrittenSegment) => void) {
    this.#records = records;
    this.#ended = ended;
  }

  /** Whether the journal has not everything of some group. */
  get isDirty(): boolean {
    return this.#dirty.length > 0;
  }

  /** @param name of the conversation and the recordings that want the segment */
  add(name: string, segment: WrittenSegment): void {
    const group = this.#rowByName.get(name) ?? this.#open(name);
    const { segments } = this.#groups[group]!;
    segments.push(segment);
    this.#records.join(segment.row, group);
    this.#chain(group, segments);
  }

  /** No record of the segment follows. */
  close(segment: WrittenSegment): void {
    const group = this.#records.groupOf(segment.row);
    segment.closed = true;
    this.#records.close(segment.row);
    this.#rows.setHasClosed(group, true);
    this.#markDirty(group);
  }

  /** The segment with this row has something that the journal has not. */
  hasMore(segmentRow: number): void {
    this.#markDirty(this.#records.groupOf(segmentRow));
  }

  /** Puts into the journal what it has not. */
  journalDirty(journal: JournalWriter): void {
    for (const group of this.#dirty) this.#journal(group, journal);
    this.#dirty = [];
  }

  /** The same of one group, that of the segment with this row. */
  journalOf(segmentRow: number, journal: JournalWriter): void {
    this.#journal(this.#records.groupOf(segmentRow), journal);
  }

  #open(name: string): number {
    const group = this.#rows.open();
    this.#groups[group] = { name, segments: [] };
    this.#rowByName.set(name, group);
    return group;
  }

  #markDirty(group: number): void {
    if (this.#rows.markDirty(group)) this.#dirty.push(group);
  }

  #journal(group: number, journal: JournalWriter): void {
    const [rows, records] = [this.#rows, this.#records];
    rows.markClean(group);
    let bytes = 0;
    for (let row = rows.firstSegment(group); row >= 0; row = records.next(row))
      bytes += records.partBytes(row);
    if (bytes > 0) this.#write(group, journal, bytes);
    if (rows.hasClosed(group)) this.#removeClosed(group);
  }

  #write(group: number, journal: JournalWriter, bytes: number): void {
    const [rows, records] = [this.#rows, this.#records];
    const leader = rows.leader(group);
    if (leader < 0 || records.isDropped(leader)) this.#lead(group);
    let at = journal.beginGroup(rows.pathBytes(group), bytes);
    for (let row = rows.firstSegment(group); row >= 0; row = records.next(row))
      if (records.partBytes(row) > 0) at = records.writePart(row, journal.batch, at);
    journal.endGroup(rows, group, bytes);
  }

  /** The key of one that was dropped is forgotten; of those that have something to write, none was. */
  #lead(group: number): void {
    this.#rows.forgetLeader(group);
    const leader = this.#groups[group]!.segments.find(({ row }) => !this.#records.isDropped(row));
    if (!leader) return;
    const key = groupKey(leader.key);
    this.#rows.lead(group, leader.row, key, leader.file.relativePath);
    key.fill(0);
  }

  #removeClosed(group: number): void {
    const held = this.#groups[group]!;
    const ended = held.segments.filter(({ closed }) => closed);
    held.segments = held.segments.filter(({ closed }) => !closed);
    this.#chain(group, held.segments);
    this.#rows.setHasClosed(group, false);
    if (ended.some(({ row }) => row === this.#rows.leader(group))) this.#rows.forgetLeader(group);
    if (held.segments.length === 0) this.#forget(group, held.name);
    for (const segment of ended) this.#ended(segment);
  }

  /** Another may begin under its name. */
  #forget(group: number, name: string): void {
    this.#rowByName.delete(name);
    this.#groups[group] = undefined;
    this.#rows.forget(group);
  }

  /** Each segment's records lead to those of the next. */
  #chain(group: number, segments: readonly WrittenSegment[]): void {
    this.#rows.setFirstSegment(group, segments[0]?.row ?? -1);
    segments.forEach(({ row }, index) => {
      this.#records.follow(row, segments[index + 1]?.row ?? -1);
    });
  }
}
