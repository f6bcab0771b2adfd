import { rmSync } from 'node:fs';
import type { Clock } from '../clock.ts';
import { GatheredRecords } from './gathered-records.ts';
import { JournalWriter } from './journal-writer.ts';
import { newSegmentKey, wrapSegmentKey } from './keys.ts';
import { journalDirectoryOf, manifestFile, segmentFile } from './layout.ts';
import { encodeManifestLine } from './manifest-line.ts';
import { ManifestLines } from './manifest-lines.ts';
import {
  entryRecord,
  handleBytes,
  maxUnsettledBytes,
  type SegmentOpening,
  type SpoolControl,
} from './producer.ts';
import type { ManifestHeader, ManifestRecord } from './records.ts';
import type { RingConsumer, RingEntryKind } from './ring.ts';
import { chunkOverheadBytes, segmentHeaderBytes } from './segment.ts';
import { SegmentGroups, type WrittenSegment } from './segment-group.ts';
import { maxRunBytes, SegmentSealer } from './segment-sealer.ts';
import { type TargetFile, TargetFiles } from './target-files.ts';

/** What the writer tells; each recording gets `durable` and `ended` once. */
export type WriterMessage =
  /** The header is on disk: the recording is on record whatever happens now. */
  | { event: 'durable'; recordingId: string }
  /** Its end is on disk, and all of it in manifest and segments: what the disk has not of these the journal has. */
  | { event: 'ended'; recordingId: string }
  | { event: 'fault'; message: string };

export interface SpoolWriterOptions {
  spoolDirectory: string;
  /** Unique among the workers that ever ran and whose journals may still be there. */
  workerId: string;
  clock: Clock;
  post(message: WriterMessage): void;
  timing?: Partial<WriterTiming>;
}

export interface WriterTiming {
  /** Longest time between a write into the journal and its fdatasync. */
  syncAfterUs: number;
  /** A file is settled once it has this much unsettled. */
  settleBytes: number;
  /** A journal file is ended, and with it everything in it settled and synced, at this size or age. */
  rotateBytes: number;
  rotateAfterUs: number;
  /** Most time of one flush spent on syncing files. */
  syncBudgetUs: number;
  /** With this much unsettled the writer stops taking entries until the disk answers. */
  maxUnsettledBytes: number;
}

export const defaultTiming: WriterTiming = {
  syncAfterUs: 500_000,
  settleBytes: 20 * 1024,
  rotateBytes: 256 * 1024 * 1024,
  rotateAfterUs: 40_000_000,
  syncBudgetUs: 15_000,
  maxUnsettledBytes,
};

interface RecordingState {
  readonly header: ManifestHeader;
  readonly key: Buffer;
  readonly manifest: TargetFile;
  readonly content: ManifestLines;
  readonly segments: Set<TargetFile>;
  lines: string[];
  /** Kept back until every segment is in its file: a reader that sees the end sees everything before it. */
  endLine: string | undefined;
}

/**
 * Takes the ring's entries and makes sealed, journaled, settled files of them. One call of `flush` is one write:
 *
 *     entries -> records of segments --+--> sealed by groups --+--> journal (one write, fdatasync when due)
 *                                      |    manifest lines ----+
 *                                      |                       |
 *                                      +--> sealed by segments +--> files (later, synced before the journal goes)
 */
export class SpoolWriter {
  readonly #options: SpoolWriterOptions;
  readonly #timing: WriterTiming;
  readonly #journal: JournalWriter;
  readonly #files: TargetFiles;
  readonly #recordings = new Map<string, RecordingState>();
  /** By handle; of the same, the rows of their records. */
  readonly #segments = new Map<number, WrittenSegment>();
  readonly #rows = new Map<number, number>();
  readonly #records = new GatheredRecords();
  /** By row. */
  readonly #segmentOfRow: WrittenSegment[] = [];
  /** Of segments with something that the journal has not. */
  #freshRows: number[] = [];
  readonly #groups = new SegmentGroups(this.#records, (segment) => this.#hasEnded(segment));
  readonly #withLines = new Set<RecordingState>();
  #closing: TargetFile[] = [];
  #started: string[] = [];
  #finished: RecordingState[] = [];
  #urgent = false;
  #journalStuck = false;
  #retiring = 0;

  constructor(options: SpoolWriterOptions) {
    const { spoolDirectory, workerId, clock } = options;
    this.#options = options;
    this.#timing = { ...defaultTiming, ...options.timing };
    const directory = journalDirectoryOf(spoolDirectory);
    this.#journal = new JournalWriter({ directory, workerId, syncAfterUs: this.#timing.syncAfterUs });
    const fault = (message: string): void => this.#fault(message);
    const { syncBudgetUs: budgetUs, settleBytes } = this.#timing;
    this.#files = new TargetFiles({ spoolDirectory, clock, budgetUs, settleBytes, fault });
  }

  /** The disk does not keep up: leave the entries in the ring. */
  get isStalled(): boolean {
    return this.#journalStuck || this.unsettledBytes > this.#timing.maxUnsettledBytes;
  }

  /** Nothing is open, everything is in its files and synced, no journal is left. */
  get isClean(): boolean {
    return (
      this.#recordings.size === 0 &&
      this.#segments.size === 0 &&
      this.#journal.waitingBytes === 0 &&
      this.#journal.openedUs === undefined &&
      this.#retiring === 0 &&
      !this.#files.isBusy
    );
  }

  /** Takes what is in the ring, about `maxBytes` at most. @returns bytes taken */
  take(ring: RingConsumer, maxBytes: number): number {
    return ring.take(this.#accept, maxBytes);
  }

  readonly #accept = (kind: RingEntryKind, bytes: Buffer, start: number, end: number): void => {
    try {
      if (kind === entryRecord) this.#acceptRecords(bytes, start, end);
      else this.#acceptControl(JSON.parse(bytes.toString('utf8', start, end)) as SpoolControl);
    } catch (error) {
      this.#fault(`spool entry: ${String(error)}`);
    }
  };

  /** Puts everything accepted into the journal, then does what is due of settling, syncing and retiring. */
  flush(): void {
    this.#findDirtyGroups();
    this.#groups.journalDirty(this.#journal);
    for (const recording of this.#withLines) this.#writeLines(recording);
    this.#withLines.clear();
    if (!this.#flushJournal()) return;
    for (const recordingId of this.#started.splice(0)) this.#options.post({ event: 'durable', recordingId });
    try {
      this.#settle();
    } catch (error) {
      this.#fault(`settling: ${String(error)}`);
    }
    this.#files.work();
  }

  /** Everything accepted of the conversation is in its files. */
  settleConversation(conversationId: string): void {
    const hasMore = this.#freshRows.length > 0 || this.#groups.isDirty || this.#withLines.size > 0;
    if (hasMore || this.#journalStuck) this.flush();
    if (!this.#journalStuck) this.#files.settleConversation(conversationId);
  }

  /** Accepted, and not in its files. */
  get unsettledBytes(): number {
    return this.#files.unsettledBytes + this.#records.uncountedBytes;
  }

  #acceptRecords(bytes: Buffer, start: number, end: number): void {
    const handle =
      ((bytes[start]! << 24) | (bytes[start + 1]! << 16) | (bytes[start + 2]! << 8) | bytes[start + 3]!) >>>
      0;
    const row = this.#rows.get(handle);
    if (row === undefined) return;
    const gathered = this.#records.length(row);
    const recordsAt = start + handleBytes;
    if (gathered > 0 && gathered + end - recordsAt > maxRunBytes) this.#sealFull(row);
    if (this.#records.add(row, bytes, recordsAt, end)) this.#freshRows.push(row);
  }

  #sealFull(row: number): void {
    // What is sealed already the journal can not have any more.
    this.#groups.journalOf(row, this.#journal);
    this.#segmentOfRow[row]!.sealer.seal();
  }

  #findDirtyGroups(): void {
    const { settleBytes } = this.#timing;
    for (const row of this.#freshRows) {
      this.#groups.hasMore(row);
      if (this.#records.length(row) >= settleBytes) this.#files.isDue(this.#segmentOfRow[row]!.file);
    }
    this.#freshRows = [];
  }

  #hasEnded({ sealer, file }: WrittenSegment): void {
    sealer.close();
    this.#files.accepted(file, chunkOverheadBytes);
    file.closed = true;
    this.#closing.push(file);
  }

  #acceptControl(control: SpoolControl): void {
    if (control.op === 'start') this.#startRecording(control.header, control.key);
    else if (control.op === 'line') this.#addLine(control.recordingId, control.record);
    else if (control.op === 'finish') this.#finishRecording(control.recordingId);
    else if (control.op === 'open') this.#openSegment(control.handle, control);
    else this.#endSegment(control.handle);
  }

  #startRecording(header: ManifestHeader, key: string): void {
    const { recordingId, conversationId } = header;
    const content = new ManifestLines();
    const path = manifestFile(conversationId, recordingId);
    const manifest = this.#files.open(conversationId, path, { isManifest: true, content });
    const state = { header, key: Buffer.from(key, 'base64'), manifest, content };
    const lines = [encodeManifestLine(header)];
    const recording = { ...state, segments: new Set<TargetFile>(), lines, endLine: undefined };
    this.#recordings.set(recordingId, recording);
    this.#withLines.add(recording);
    this.#started.push(recordingId);
    this.#urgent = true;
  }

  #addLine(recordingId: string, record: ManifestRecord): void {
    const recording = this.#recordings.get(recordingId);
    if (!recording) return;
    if (record.type === 'end') recording.endLine = encodeManifestLine(record);
    else {
      recording.lines.push(encodeManifestLine(record));
      this.#withLines.add(recording);
    }
  }

  #finishRecording(recordingId: string): void {
    const recording = this.#recordings.get(recordingId);
    if (!recording) return;
    this.#recordings.delete(recordingId);
    this.#finished.push(recording);
  }

  #openSegment(handle: number, { segmentId, conversationId, trackId, wants, clip }: SegmentOpening): void {
    const key = newSegmentKey();
    const row = this.#records.open(segmentId);
    const sealer = new SegmentSealer(segmentId, key, this.#records, row);
    const path = segmentFile(conversationId, segmentId);
    const file = this.#files.open(conversationId, path, { isManifest: false, content: sealer });
    this.#files.accepted(file, segmentHeaderBytes);
    for (const { recordingId, startSample } of wants) {
      const recording = this.#recordings.get(recordingId);
      if (!recording) continue;
      const wrappedKey = wrapSegmentKey(recording.key, recordingId, segmentId, key);
      const line = { segmentId, startSample, wrappedKey };
      this.#addLine(
        recordingId,
        clip ? { type: 'clip', ...line, ...clip } : { type: 'segment', trackId, ...line },
      );
      for (const old of recording.segments)
        if (old.closed && old.syncedBytes === old.length) recording.segments.delete(old);
      recording.segments.add(file);
      // Into the journal before what it is the key of.
      this.#writeLines(recording);
    }
    const segment = { key, row, sealer, file, closed: false };
    this.#groups.add(this.#groupName(conversationId, wants), segment);
    this.#segments.set(handle, segment);
    this.#rows.set(handle, row);
    this.#segmentOfRow[row] = segment;
  }

  /** Of those that the journal seals together: by conversation and the recordings that want them. */
  #groupName(conversationId: string, wants: SegmentOpening['wants']): string {
    const known = wants.flatMap(({ recordingId }) =>
      this.#recordings.has(recordingId) ? [recordingId] : [],
    );
    return [conversationId, ...known.sort()].join(' ');
  }

  #endSegment(handle: number): void {
    const segment = this.#segments.get(handle);
    if (!segment) return;
    this.#segments.delete(handle);
    this.#rows.delete(handle);
    this.#groups.close(segment);
  }

  #writeLines(recording: RecordingState): void {
    if (recording.lines.length === 0) return;
    this.#append(recording, recording.lines.join(''));
    recording.lines = [];
  }

  #append({ manifest, content }: RecordingState, lines: string): void {
    const body = Buffer.from(lines);
    this.#journal.add({ path: manifest.relativePath, offset: manifest.length, body });
    content.add(body);
    this.#files.accepted(manifest, body.length);
  }

  #flushJournal(): boolean {
    try {
      this.#journal.flush(this.#options.clock.monotonicUs(), this.#urgent);
      this.#journalStuck = false;
      this.#urgent = false;
    } catch (error) {
      this.#journalStuck = true;
      this.#fault(`journal: ${String(error)}`);
    }
    return !this.#journalStuck;
  }

  #settle(): void {
    for (const file of this.#closing) this.#files.settle(file);
    this.#closing = [];
    if (this.unsettledBytes > this.#timing.maxUnsettledBytes / 2) this.#files.settleAll();
    else this.#files.settleDue();
    if (this.#finished.length > 0) this.#endFinished();
    if (this.#rotationIsDue()) this.#rotate();
  }

  #endFinished(): void {
    for (const recording of this.#finished) {
      if (recording.endLine !== undefined) this.#append(recording, recording.endLine);
      recording.endLine = undefined;
    }
    this.#urgent = true;
    if (!this.#flushJournal()) return;
    for (const recording of this.#finished.splice(0)) this.#reportWhenSettled(recording);
  }

  #reportWhenSettled(recording: RecordingState): void {
    recording.key.fill(0);
    recording.manifest.closed = true;
    const { recordingId } = recording.header;
    this.#files.whenSettled([recording.manifest, ...recording.segments], () =>
      this.#options.post({ event: 'ended', recordingId }),
    );
  }

  #rotationIsDue(): boolean {
    const { openedUs, fileBytes } = this.#journal;
    if (openedUs === undefined) return false;
    if (this.#recordings.size === 0 && this.#segments.size === 0) return true;
    const ageUs = this.#options.clock.monotonicUs() - openedUs;
    return fileBytes >= this.#timing.rotateBytes || ageUs >= this.#timing.rotateAfterUs;
  }

  #rotate(): void {
    const path = this.#journal.rotate(this.#options.clock.monotonicUs());
    if (path === undefined) return;
    this.#retiring++;
    this.#files.whenSynced(this.#files.unsynced(), () => {
      rmSync(path, { force: true });
      this.#retiring--;
    });
  }

  #fault(message: string): void {
    this.#options.post({ event: 'fault', message });
  }
}
