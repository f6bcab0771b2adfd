import { statSync } from 'node:fs';
import { join } from 'node:path';
import { CallreelError } from '../errors.ts';
import { isMissing } from './files.ts';
import type { MasterKey } from './keys.ts';
import { assertFileId, manifestSuffix } from './layout.ts';
import { openManifest, type SpoolRecording, type SpoolTrack } from './reader.ts';
import type { SpoolRecord } from './records.ts';
import { SegmentReader } from './segment-reader.ts';

/** A recording that is read along while it grows: each look reads only what is new. */
export class GrowingRecording {
  readonly #path: string;
  readonly #masterKey: MasterKey;
  readonly #tracks = new Map<string, GrowingTrack>();
  #manifestBytes = -1;
  #recording: SpoolRecording | undefined;

  /** @param directory the conversation's */
  constructor(directory: string, recordingId: string, masterKey: MasterKey) {
    assertFileId(recordingId, 'recordingId');
    this.#path = join(directory, `${recordingId}${manifestSuffix}`);
    this.#masterKey = masterKey;
  }

  /**
   * What the manifest says by now. It never says less than before.
   * @throws CallreelError NOT_FOUND (also: not yet), SPOOL_CORRUPT, SPOOL_KEY_MISSING
   */
  look(): SpoolRecording {
    const bytes = this.#bytesThere();
    if (this.#recording && bytes === this.#manifestBytes) return this.#recording;
    const recording = openManifest(this.#path, this.#masterKey);
    this.#manifestBytes = bytes;
    this.#recording = recording;
    for (const track of recording.tracks)
      this.track(track.trackId).follow(track, recording.end !== undefined);
    return recording;
  }

  track(trackId: string): GrowingTrack {
    let track = this.#tracks.get(trackId);
    if (!track) this.#tracks.set(trackId, (track = new GrowingTrack()));
    return track;
  }

  #bytesThere(): number {
    try {
      return statSync(this.#path).size;
    } catch (error) {
      if (!isMissing(error)) throw error;
      throw new CallreelError('NOT_FOUND', 'there is no such recording', { where: this.#path });
    }
  }
}

/**
 * The records of one track in order, across its segments. Where they run out they go on later; before, where they are
 * not wanted yet: what is not read takes no memory.
 */
export class GrowingTrack implements Iterator<SpoolRecord, undefined> {
  #segments: SpoolTrack['segments'] = [];
  /** The manifest names no more segments. */
  #isClosed = false;
  /** The recording has ended: what is not there does not come. */
  #isOver = false;
  #segment = 0;
  #reader: SegmentReader | undefined;
  #records: Iterator<SpoolRecord> | undefined;
  /** The segment of whose end is known when it arrived. */
  #ahead = 0;
  #aheadReader: SegmentReader | undefined;
  #newestUs = 0;
  /** Chunks that begin with what arrived then, or later, are left for later. */
  untilUs = Number.POSITIVE_INFINITY;
  /** Of chunks whose packets all arrived before, these are passed over. */
  fromUs = 0;

  follow({ segments, endSample }: SpoolTrack, isOver: boolean): void {
    this.#segments = segments;
    this.#isOver = isOver;
    this.#isClosed = isOver || endSample !== undefined;
  }

  /** Whether the records, where they ran out, have ended. */
  get isWhole(): boolean {
    return this.#isClosed && this.#segment >= this.#segments.length;
  }

  /** When the newest record arrived that is there by now, read or not; 0 where there is none. @throws as `next` */
  findNewest(): number {
    for (let segment = this.#segments[this.#ahead]; segment; segment = this.#segments[this.#ahead]) {
      const { path, segmentId, key } = segment;
      this.#aheadReader ??= new SegmentReader(path, segmentId, key);
      this.#newestUs = Math.max(this.#newestUs, this.#aheadReader.passOver() ?? 0);
      if (this.#ahead === this.#segments.length - 1) break;
      this.#ahead += 1;
      this.#aheadReader = undefined;
    }
    return this.#newestUs;
  }

  /**
   * `done` says that there is no record, or none yet, or none that is wanted yet.
   * @throws CallreelError SPOOL_CORRUPT, after everything before the damage was given
   */
  next(): IteratorResult<SpoolRecord, undefined> {
    for (let segment = this.#segments[this.#segment]; segment; segment = this.#segments[this.#segment]) {
      const { path, segmentId, key, mustBeComplete } = segment;
      this.#reader ??= new SegmentReader(path, segmentId, key);
      this.#records ??= this.#reader.records(this.untilUs, this.fromUs);
      const record = this.#records.next();
      if (!record.done) return record;
      this.#records = undefined;
      if (!this.#reader.isComplete) {
        if (!this.#isOver || this.#reader.isHolding) break;
        if (mustBeComplete)
          throw new CallreelError('SPOOL_CORRUPT', 'a segment was cut off', { where: path });
      }
      this.#segment += 1;
      this.#reader = undefined;
    }
    return { done: true, value: undefined };
  }

  /** Closes the file that is being read. */
  return(): IteratorResult<SpoolRecord, undefined> {
    this.#records?.return?.();
    this.#records = undefined;
    return { done: true, value: undefined };
  }
}
