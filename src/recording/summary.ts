import { join } from 'node:path';
import { CallreelError } from '../errors.ts';
import { PauseMap } from '../render/pause-map.ts';
import type { PauseView } from '../render/track-source.ts';
import { manifestFile } from '../spool/layout.ts';
import { type DecodedManifest, decodeManifest } from '../spool/manifest.ts';
import { readManifestBytes } from '../spool/reader.ts';
import type {
  EndReason,
  ManifestNotice,
  ManifestRecord,
  ManifestTrack,
  ManifestTrackEnd,
  Party,
  TrackSide,
} from '../spool/records.ts';

export interface TrackSummary {
  trackId: string;
  side: TrackSide;
  party: Party;
  /** Positions on the room's clock, at the recording's rate. */
  startSample: number;
  endSample: number;
  /** What of that is in the recording, pauses left out. */
  recordedSamples: number;
  packets: number;
}

/** What an ended recording's manifest says, for whoever writes rows and events. */
export interface RecordingSummary {
  recordingId: string;
  conversationId: string;
  accountId: string;
  rateHz: number;
  startSample: number;
  endSample: number;
  /** It holds less than was recorded: silence was cut off at an end. */
  isTrimmed: boolean;
  startedUnixMs: number;
  endedUnixMs: number;
  reason: EndReason;
  /** The key that ended it. */
  digit: string | undefined;
  /** Recorded time: pauses are left out. */
  recordedSamples: number;
  /** Of each channel of a file of everybody: pauses are in it as they were asked for. */
  fileSamples: number;
  sealedKey: string;
  /** In the order the parties joined. */
  tracks: TrackSummary[];
  /** What parties heard of the notice. */
  notices: Omit<ManifestNotice, 'type'>[];
  meta: Record<string, unknown>;
}

/** What is there by now of the manifest of a recording that is about to end; undefined where that is nothing yet. */
export function readManifestAhead(
  spoolDirectory: string,
  conversationId: string,
  recordingId: string,
): DecodedManifest | undefined {
  const path = join(spoolDirectory, manifestFile(conversationId, recordingId));
  try {
    return decodeManifest(readManifestBytes(path), path);
  } catch (error) {
    if (error instanceof CallreelError) return undefined;
    throw error;
  }
}

/**
 * Reads an ended recording's manifest; no key is needed.
 * @param known what was read of it ahead
 * @throws CallreelError NOT_FOUND, SPOOL_CORRUPT (also for a manifest without an end)
 */
export function summariseRecording(
  spoolDirectory: string,
  conversationId: string,
  recordingId: string,
  known?: DecodedManifest,
): RecordingSummary {
  const path = join(spoolDirectory, manifestFile(conversationId, recordingId));
  const { records } = decodeManifest(readManifestBytes(path), path, known);
  const header = records.find((record) => record.type === 'header');
  const end = records.find((record) => record.type === 'end');
  if (!header || !end)
    throw new CallreelError('SPOOL_CORRUPT', 'the manifest has no header or no end', { where: path });
  const begin = records.find((record) => record.type === 'begin');
  const startSample = end.trim?.fromSample ?? begin?.atSample ?? header.startSample;
  const endSample = end.trim?.toSample ?? end.atSample;
  return {
    recordingId,
    conversationId,
    accountId: header.accountId,
    rateHz: header.rateHz,
    startSample,
    endSample,
    isTrimmed: end.trim !== undefined,
    startedUnixMs: header.originUnixMs + Math.round((startSample * 1000) / header.rateHz),
    endedUnixMs: end.endedUnixMs,
    reason: end.reason,
    digit: end.digit,
    recordedSamples: recordedSamples(records, startSample, endSample),
    fileSamples: fileSamples(records, startSample, endSample),
    sealedKey: header.sealedKey,
    tracks: summariseTracks(records, startSample, endSample, end.atSample),
    notices: records.flatMap((record) => {
      if (record.type !== 'notice') return [];
      const { type: _, ...notice } = record;
      return [notice];
    }),
    meta: header.meta,
  };
}

function summariseTracks(
  records: readonly ManifestRecord[],
  fromSample: number,
  toSample: number,
  recordingEndSample: number,
): TrackSummary[] {
  const ends = new Map<string, ManifestTrackEnd>();
  for (const record of records) if (record.type === 'track-end') ends.set(record.trackId, record);
  return records
    .filter((record): record is ManifestTrack => record.type === 'track')
    .map(({ trackId, side = 'said', party, startSample }) => {
      const end = ends.get(trackId);
      const endSample = end?.endSample ?? recordingEndSample;
      const from = Math.max(fromSample, startSample);
      return {
        trackId,
        side,
        party,
        startSample,
        endSample,
        recordedSamples: recordedSamples(records, from, Math.max(from, Math.min(toSample, endSample))),
        packets: end?.packets ?? 0,
      };
    });
}

function recordedSamples(records: readonly ManifestRecord[], startSample: number, endSample: number): number {
  let paused = 0;
  let pausedAt: number | undefined;
  const end = (atSample: number): void => {
    if (pausedAt !== undefined) paused += Math.max(0, Math.min(atSample, endSample) - pausedAt);
    pausedAt = undefined;
  };
  for (const record of records) {
    if (record.type === 'pause') pausedAt ??= Math.max(record.atSample, startSample);
    else if (record.type === 'resume') end(record.atSample);
  }
  end(endSample);
  return endSample - startSample - paused;
}

function fileSamples(records: readonly ManifestRecord[], startSample: number, endSample: number): number {
  const pauses: PauseView[] = [];
  for (const record of records) {
    const last = pauses.at(-1);
    if (record.type === 'pause')
      pauses.push({ fromSample: record.atSample, toSample: undefined, behaviour: record.behaviour });
    else if (record.type === 'resume' && last) last.toSample = record.atSample;
  }
  const span = { fromSample: startSample, toSample: Math.max(startSample, endSample) };
  return new PauseMap(span, pauses).fileSamples;
}
