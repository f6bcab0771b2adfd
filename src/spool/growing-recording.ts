import { statSync } from 'node:fs';
import { join } from 'node:path';
import { CallreelError } from '../errors.ts';
import type { ChunkBodies } from './chunk-bodies.ts';
import { isMissing } from './files.ts';
import type { KeptDescriptors, OpenedFile } from './kept-descriptors.ts';
import type { MasterKey } from './keys.ts';
import { assertFileId, manifestSuffix } from './layout.ts';
import type { PacketSeries } from './packet-series.ts';
import { openManifest, type SpoolRecording, type SpoolTrack } from './reader.ts';
import type { SpoolRecord } from './records.ts';
import { type SegmentPlace, SegmentReader } from './segment-reader.ts';

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

/** Of a track: where its next record is. */
export interface TrackPlace {
  segment: number;
  reader: SegmentReader | undefined;
  at: SegmentPlace | undefined;
}

/** Of a track: how long its files were, from those of one segment on. */
interface TrackSizes {
  atUs: number;
  firstSegment: number;
  bytes: number[];
}

const noRecord: SpoolRecord = { kind: 'overflow', packets: 0, arrivalUs: 0 };

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
  #newestUs = 0;
  /** Made once: an object for each packet would be a quarter of what is allocated. */
  readonly #found: IteratorYieldResult<SpoolRecord> = { done: false, value: noRecord };
  /** Records from the first one on that arrived then, or later, are left for later. */
  untilUs = Number.POSITIVE_INFINITY;
  /** Packets that arrived before are passed over. */
  fromUs = 0;
  /** As of `SegmentReader`; to be set before the first record is read. */
  bodies: ChunkBodies | undefined;
  /** As `bodies`. */
  files: KeptDescriptors<OpenedFile> | undefined;
  /** As of `SegmentReader`. */
  looksAhead = true;
  /** Oldest first; the first is what is shown. */
  readonly #sizes: TrackSizes[] = [{ atUs: Number.NEGATIVE_INFINITY, firstSegment: 0, bytes: [] }];
  /** One that is shown no more. */
  #spareSizes: TrackSizes | undefined;
  #showsAll = true;

  follow({ segments, endSample }: SpoolTrack, isOver: boolean): void {
    this.#segments = segments;
    this.#isOver = isOver;
    this.#isClosed = isOver || endSample !== undefined;
  }

  /** Whether the records, where they ran out, have ended. */
  get isWhole(): boolean {
    return this.#isClosed && this.#segment >= this.#segments.length;
  }

  /** Notes how long its files are, for `showAsOf`: once a look, behind all reading. */
  noteSizes(atUs: number): void {
    if (this.isWhole) return;
    // What lives from one look to the next becomes old: of hundreds of tracks that is much garbage.
    // One of them is there, as a rule: an array that begins empty takes room for 17.
    const sizes = this.#spareSizes ?? { atUs: 0, firstSegment: 0, bytes: [0] };
    this.#spareSizes = undefined;
    sizes.atUs = atUs;
    sizes.firstSegment = this.#segment;
    for (let segment = this.#segment; segment < this.#segments.length; segment++) {
      const reader = segment === this.#segment ? this.#reader : undefined;
      sizes.bytes[segment - this.#segment] = reader?.seenBytes ?? sizeOf(this.#segments[segment]!.path);
      if (reader) reader.seenBytes = undefined;
    }
    const count = this.#segments.length - this.#segment;
    if (sizes.bytes.length > count) sizes.bytes.length = count;
    this.#sizes.push(sizes);
  }

  /** From now on its files have what they had when that was last noted by then; nothing where it was not. */
  showAsOf(atUs: number): void {
    while (this.#sizes.length > 1 && this.#sizes[1]!.atUs <= atUs) this.#spareSizes = this.#sizes.shift();
    this.#showsAll = false;
  }

  /** From now on its files have what they have, as at first. */
  showAll(): void {
    this.#showsAll = true;
  }

  /** The last call of `next` left something for later that is there. */
  get isHolding(): boolean {
    return this.#reader?.isHolding ?? false;
  }

  /**
   * When the newest record arrived that was there when the records ran out last, read or not; 0 where there was none.
   * @throws as `next`
   */
  newestUs(): number {
    this.#newestUs = Math.max(this.#newestUs, this.#reader?.newestUs ?? 0);
    for (const { path, segmentId, key } of this.#segments.slice(this.#segment + 1)) {
      const ahead = new SegmentReader(path, segmentId, key);
      while (ahead.next(0));
      this.#newestUs = Math.max(this.#newestUs, ahead.newestUs);
    }
    return this.#newestUs;
  }

  /**
   * `done` says that there is no record, or none yet, or none that is wanted yet. A record is valid until the next
   * one; its payload stays so.
   * @throws CallreelError SPOOL_CORRUPT, after everything before the damage was given
   */
  next(): IteratorResult<SpoolRecord, undefined> {
    for (let segment = this.#segments[this.#segment]; segment; segment = this.#segments[this.#segment]) {
      const { path, segmentId, key, mustBeComplete } = segment;
      this.#reader ??= new SegmentReader(path, segmentId, key, { bodies: this.bodies, files: this.files });
      this.#reader.looksAhead = this.looksAhead;
      this.#reader.toBytes = this.#shownBytes();
      const record = this.#reader.next(this.untilUs, this.fromUs);
      if (record) {
        this.#found.value = record;
        return this.#found;
      }
      if (!this.#reader.isComplete) {
        if (!this.#isOver || this.#reader.isHolding) break;
        if (mustBeComplete)
          throw new CallreelError('SPOOL_CORRUPT', 'a segment was cut off', { where: path });
      }
      this.#newestUs = Math.max(this.#newestUs, this.#reader.newestUs);
      this.#segment += 1;
      this.#reader.release();
      this.#reader = undefined;
    }
    this.#found.value = noRecord;
    return { done: true, value: undefined };
  }

  /**
   * The next packets, where several follow one another.
   * @returns as `SegmentReader.nextSeries`
   * @throws CallreelError as `next`
   */
  nextSeries(): PacketSeries | undefined {
    return this.fromUs === 0 ? this.#reader?.nextSeries(this.untilUs) : undefined;
  }

  /** Where the next record is. */
  get place(): TrackPlace {
    return { segment: this.#segment, reader: this.#reader, at: this.#reader?.place };
  }

  /** Goes back to where it was: what was read from there on is read again. */
  goTo({ segment, reader, at }: TrackPlace): void {
    this.#reader?.release();
    this.#segment = segment;
    this.#reader = reader;
    if (at) reader?.goTo(at);
  }

  #shownBytes(): number {
    if (this.#showsAll) return Number.POSITIVE_INFINITY;
    const shown = this.#sizes[0]!;
    return shown.bytes[this.#segment - shown.firstSegment] ?? 0;
  }

  /** Closes the file that is being read. */
  return(): IteratorResult<SpoolRecord, undefined> {
    this.#reader?.release();
    return { done: true, value: undefined };
  }
}

/** As `readTrack`, from the first record on, without an object for each packet. */
export function trackRecords(track: SpoolTrack): GrowingTrack {
  const records = new GrowingTrack();
  records.looksAhead = false;
  records.follow(track, true);
  return records;
}

/** @returns 0 where it is not there yet */
function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
