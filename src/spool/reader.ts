import { readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CallreelError } from '../errors.ts';
import type { Secret } from '../secret.ts';
import { isMissing } from './files.ts';
import { type MasterKey, openRecordingKey, unwrapSegmentKey } from './keys.ts';
import { assertFileId, manifestSuffix, segmentSuffix } from './layout.ts';
import { decodeManifest, maxManifestBytes } from './manifest.ts';
import type {
  ManifestClip,
  ManifestEnd,
  ManifestHeader,
  ManifestPause,
  ManifestRecord,
  ManifestResume,
  ManifestSegment,
  ManifestTrack,
  ManifestTrackEnd,
  Party,
  SpoolRecord,
  TrackSide,
} from './records.ts';
import { SegmentReader } from './segment-reader.ts';

/** One recording as its manifest tells it; positions are samples at `header.rateHz` on the room's clock. */
export interface SpoolRecording {
  header: ManifestHeader;
  /** Where it began. */
  startSample: number;
  /** In the order of their beginning. */
  tracks: SpoolTrack[];
  pauses: SpoolPause[];
  /** What parties said before they consented by voice, each a track by itself, named by its segment. */
  clips: SpoolTrack[];
  /** Undefined while the recording runs. */
  end: ManifestEnd | undefined;
}

export interface SpoolTrack {
  trackId: string;
  side: TrackSide;
  party: Party;
  startSample: number;
  /** Undefined while the stay goes on. */
  endSample: number | undefined;
  packets: number | undefined;
  overflowPackets: number | undefined;
  segments: SpoolSegment[];
}

export interface SpoolSegment {
  segmentId: string;
  startSample: number;
  path: string;
  key: Secret<Buffer>;
  /** The recording ended in order: the file must be there and closed by its final marker. */
  mustBeComplete: boolean;
}

export interface SpoolPause {
  fromSample: number;
  /** Undefined when the recording was not resumed. */
  toSample: number | undefined;
  behaviour: ManifestPause['behaviour'];
}

/** @throws CallreelError NOT_FOUND, SPOOL_CORRUPT when it is too large */
export function readManifestBytes(path: string): Buffer {
  try {
    if (statSync(path).size > maxManifestBytes)
      throw new CallreelError('SPOOL_CORRUPT', 'the manifest is larger than any can be', { where: path });
    return readFileSync(path);
  } catch (error) {
    if (isMissing(error)) throw new CallreelError('NOT_FOUND', 'there is no such recording', { where: path });
    throw error;
  }
}

/**
 * The whole lines of a manifest; a torn last line is left out. Works while the file grows.
 * @throws CallreelError NOT_FOUND, SPOOL_CORRUPT
 */
export function readManifest(path: string): ManifestRecord[] {
  return decodeManifest(readManifestBytes(path), path).records;
}

/**
 * @param directory the conversation's, `<dataDirectory>/spool/<conversationId>`
 * @throws CallreelError NOT_FOUND, SPOOL_CORRUPT, SPOOL_KEY_MISSING
 */
export function openSpool(directory: string, recordingId: string, masterKey: MasterKey): SpoolRecording {
  assertFileId(recordingId, 'recordingId');
  return openManifest(join(directory, `${recordingId}${manifestSuffix}`), masterKey);
}

/**
 * Opens a recording by its bare manifest; the segments lie beside it.
 * @throws CallreelError NOT_FOUND, SPOOL_CORRUPT, SPOOL_KEY_MISSING
 */
export function openManifest(path: string, masterKey: MasterKey): SpoolRecording {
  if (!path.endsWith(manifestSuffix))
    throw new CallreelError('REQUEST_INVALID', `a manifest ends in ${manifestSuffix}`, { where: path });
  const records = readManifest(path);
  const header = records[0];
  if (header?.type !== 'header')
    throw new CallreelError('SPOOL_CORRUPT', 'the manifest has no header', { where: path });
  const recordingKey = openRecordingKey(masterKey, header.recordingId, header.sealedKey);
  const builder = new RecordingBuilder(header, dirname(path), recordingKey);
  for (const record of records) builder.add(record);
  return builder.recording;
}

class RecordingBuilder {
  readonly recording: SpoolRecording;
  readonly #directory: string;
  readonly #recordingKey: Secret<Buffer>;
  readonly #tracks = new Map<string, SpoolTrack>();

  constructor(header: ManifestHeader, directory: string, recordingKey: Secret<Buffer>) {
    this.recording = {
      header,
      startSample: header.startSample,
      tracks: [],
      pauses: [],
      clips: [],
      end: undefined,
    };
    this.#directory = directory;
    this.#recordingKey = recordingKey;
  }

  add(record: ManifestRecord): void {
    if (record.type === 'begin') this.recording.startSample = record.atSample;
    else if (record.type === 'track') this.#addTrack(record);
    else if (record.type === 'segment') this.#addSegment(record);
    else if (record.type === 'clip') this.#addClip(record);
    else if (record.type === 'track-end') this.#endTrack(record);
    else if (record.type === 'pause') this.#pause(record);
    else if (record.type === 'resume') this.#resume(record);
    else if (record.type === 'end') this.#end(record);
  }

  #addTrack({ trackId, side = 'said', party, startSample }: ManifestTrack): void {
    const open = { endSample: undefined, packets: undefined, overflowPackets: undefined };
    const track: SpoolTrack = { trackId, side, party, startSample, ...open, segments: [] };
    this.#tracks.set(trackId, track);
    this.recording.tracks.push(track);
  }

  #addSegment(record: ManifestSegment): void {
    this.#track(record.trackId).segments.push(this.#segment(record));
  }

  #addClip(record: ManifestClip): void {
    const { segmentId, party, startSample, endSample } = record;
    const counts = { packets: undefined, overflowPackets: undefined };
    const segments = [this.#segment(record)];
    this.recording.clips.push({
      ...{ trackId: segmentId, side: 'said', party, startSample, endSample, ...counts, segments },
    });
  }

  #segment({ segmentId, startSample, wrappedKey }: Omit<ManifestSegment, 'type' | 'trackId'>): SpoolSegment {
    const { recordingId } = this.recording.header;
    const key = unwrapSegmentKey(this.#recordingKey, recordingId, segmentId, wrappedKey);
    const path = join(this.#directory, `${segmentId}${segmentSuffix}`);
    return { segmentId, startSample, path, key, mustBeComplete: false };
  }

  #endTrack({ trackId, endSample, packets, overflowPackets }: ManifestTrackEnd): void {
    Object.assign(this.#track(trackId), { endSample, packets, overflowPackets });
  }

  #pause({ atSample, behaviour }: ManifestPause): void {
    this.recording.pauses.push({ fromSample: atSample, toSample: undefined, behaviour });
  }

  #resume({ atSample }: ManifestResume): void {
    const pause = this.recording.pauses.at(-1);
    if (pause) pause.toSample = atSample;
  }

  #end(end: ManifestEnd): void {
    this.recording.end = end;
    if (end.reason === 'interrupted') return;
    for (const track of [...this.recording.tracks, ...this.recording.clips])
      for (const segment of track.segments) segment.mustBeComplete = true;
  }

  #track(trackId: string): SpoolTrack {
    const track = this.#tracks.get(trackId);
    if (track) return track;
    const where = this.recording.header.recordingId;
    throw new CallreelError('SPOOL_CORRUPT', 'a manifest line names an unknown track', { where });
  }
}

/**
 * All records of a track in order, one chunk in memory at a time. A torn tail ends a segment that may still grow or
 * was interrupted.
 * @throws CallreelError SPOOL_CORRUPT, after everything before the damage was given
 */
export function* readTrack(track: SpoolTrack): Generator<SpoolRecord> {
  for (const { path, segmentId, key, mustBeComplete } of track.segments) {
    const reader = new SegmentReader(path, segmentId, key);
    yield* reader.records();
    if (mustBeComplete && !reader.isComplete)
      throw new CallreelError('SPOOL_CORRUPT', 'a segment was cut off', { where: path });
  }
}
