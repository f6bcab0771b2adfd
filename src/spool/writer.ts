import { rmSync } from 'node:fs';
import type { Clock } from '../clock.ts';
import { JournalWriter } from './journal-writer.ts';
import { newSegmentKey, wrapSegmentKey } from './keys.ts';
import { journalDirectoryOf, manifestFile, segmentFile } from './layout.ts';
import { encodeManifestLine } from './manifest-line.ts';
import { entryRecord, handleBytes, type SegmentOpening, type SpoolControl } from './producer.ts';
import type { ManifestHeader, ManifestRecord } from './records.ts';
import { SegmentSealer } from './segment-sealer.ts';
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
  settleBytes: 64 * 1024,
  rotateBytes: 16 * 1024 * 1024,
  rotateAfterUs: 10_000_000,
  syncBudgetUs: 15_000,
  maxUnsettledBytes: 128 * 1024 * 1024,
};

interface RecordingState {
  readonly header: ManifestHeader;
  readonly key: Buffer;
  readonly manifest: TargetFile;
  readonly segments: Set<TargetFile>;
  lines: string[];
  /** Kept back until every segment is in its file: a reader that sees the end sees everything before it. */
  endLine: string | undefined;
}

interface SegmentState {
  readonly sealer: SegmentSealer;
  readonly file: TargetFile;
}

/**
 * Takes the ring's entries and makes sealed, journaled, settled files of them. One call of `flush` is one write:
 *
 *     entries -> runs of records -> sealed chunks --+--> journal (one write, fdatasync when due)
 *                manifest lines --------------------+--> files (settled later, synced before the journal goes)
 */
export class SpoolWriter {
  readonly #options: SpoolWriterOptions;
  readonly #timing: WriterTiming;
  readonly #journal: JournalWriter;
  readonly #files: TargetFiles;
  readonly #recordings = new Map<string, RecordingState>();
  readonly #segments = new Map<number, SegmentState>();
  #closing: SegmentState[] = [];
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
    this.#files = new TargetFiles({ spoolDirectory, clock, budgetUs: this.#timing.syncBudgetUs, fault });
  }

  /** The disk does not keep up: leave the entries in the ring. */
  get isStalled(): boolean {
    return this.#journalStuck || this.#files.unsettledBytes > this.#timing.maxUnsettledBytes;
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

  /** Takes one ring entry; `bytes` is copied. */
  accept(kind: number, bytes: Uint8Array): void {
    if (kind === entryRecord) this.#acceptRecords(bytes);
    else this.#acceptControl(JSON.parse(Buffer.from(bytes).toString()) as SpoolControl);
  }

  /** Puts everything accepted into the journal, then does what is due of settling, syncing and retiring. */
  flush(): void {
    for (const { sealer } of this.#segments.values()) sealer.seal();
    for (const segment of this.#closing) this.#closeSegment(segment);
    for (const recording of this.#recordings.values()) this.#writeLines(recording);
    for (const recording of this.#finished) this.#writeLines(recording);
    if (!this.#flushJournal()) return;
    for (const recordingId of this.#started.splice(0)) this.#options.post({ event: 'durable', recordingId });
    try {
      this.#settle();
    } catch (error) {
      this.#fault(`settling: ${String(error)}`);
    }
    this.#files.work();
  }

  /** `flush`, and everything of the conversation is in its files. */
  settleConversation(conversationId: string): void {
    this.flush();
    if (!this.#journalStuck) this.#files.settleConversation(conversationId);
  }

  #acceptRecords(bytes: Uint8Array): void {
    const handle = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
    this.#segments.get(handle)?.sealer.add(bytes.subarray(handleBytes));
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
    const manifest = this.#files.open(conversationId, manifestFile(conversationId, recordingId), true);
    const state = { header, key: Buffer.from(key, 'base64'), manifest, segments: new Set<TargetFile>() };
    const lines = [encodeManifestLine(header)];
    this.#recordings.set(recordingId, { ...state, lines, endLine: undefined });
    this.#started.push(recordingId);
    this.#urgent = true;
  }

  #addLine(recordingId: string, record: ManifestRecord): void {
    const recording = this.#recordings.get(recordingId);
    if (!recording) return;
    if (record.type === 'end') recording.endLine = encodeManifestLine(record);
    else recording.lines.push(encodeManifestLine(record));
  }

  #finishRecording(recordingId: string): void {
    const recording = this.#recordings.get(recordingId);
    if (!recording) return;
    this.#recordings.delete(recordingId);
    this.#finished.push(recording);
  }

  #openSegment(handle: number, { segmentId, conversationId, trackId, wants, clip }: SegmentOpening): void {
    const key = newSegmentKey();
    const file = this.#files.open(conversationId, segmentFile(conversationId, segmentId), false);
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
    }
    const sealer = new SegmentSealer(segmentId, key, (bytes) => this.#append(file, bytes));
    this.#segments.set(handle, { sealer, file });
  }

  #endSegment(handle: number): void {
    const segment = this.#segments.get(handle);
    if (!segment) return;
    this.#segments.delete(handle);
    this.#closing.push(segment);
  }

  #closeSegment({ sealer, file }: SegmentState): void {
    if (file.closed) return;
    sealer.close();
    file.closed = true;
  }

  #writeLines(recording: RecordingState): void {
    if (recording.lines.length === 0) return;
    this.#append(recording.manifest, Buffer.from(recording.lines.join('')));
    recording.lines = [];
  }

  #append(file: TargetFile, bytes: Buffer): void {
    const offset = this.#files.append(file, bytes);
    this.#journal.add({ path: file.relativePath, offset, body: bytes });
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
    for (const { file } of this.#closing) this.#files.settle(file);
    this.#closing = [];
    const { settleBytes, maxUnsettledBytes } = this.#timing;
    const isMuch = this.#files.unsettledBytes > maxUnsettledBytes / 2;
    this.#files.settleWhereLarger(isMuch ? 1 : settleBytes);
    if (this.#finished.length > 0) this.#endFinished();
    if (this.#rotationIsDue()) this.#rotate();
  }

  #endFinished(): void {
    for (const recording of this.#finished) {
      if (recording.endLine !== undefined) this.#append(recording.manifest, Buffer.from(recording.endLine));
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
