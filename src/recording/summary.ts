import { join } from 'node:path';
import { CallreelError } from '../errors.ts';
import { manifestFile } from '../spool/layout.ts';
import { readManifest } from '../spool/reader.ts';
import type { EndReason, ManifestRecord, ManifestTrack, ManifestTrackEnd, Party } from '../spool/records.ts';

export interface TrackSummary {
  trackId: string;
  party: Party;
  /** Positions on the room's clock, at the recording's rate. */
  startSample: number;
  endSample: number;
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
  startedUnixMs: number;
  endedUnixMs: number;
  reason: EndReason;
  sealedKey: string;
  /** In the order the parties joined. */
  tracks: TrackSummary[];
  meta: Record<string, unknown>;
}

/**
 * Reads an ended recording's manifest; no key is needed.
 * @throws CallreelError NOT_FOUND, SPOOL_CORRUPT (also for a manifest without an end)
 */
export function summariseRecording(
  spoolDirectory: string,
  conversationId: string,
  recordingId: string,
): RecordingSummary {
  const path = join(spoolDirectory, manifestFile(conversationId, recordingId));
  const records = readManifest(path);
  const header = records.find((record) => record.type === 'header');
  const end = records.find((record) => record.type === 'end');
  if (!header || !end)
    throw new CallreelError('SPOOL_CORRUPT', 'the manifest has no header or no end', { where: path });
  return {
    recordingId,
    conversationId,
    accountId: header.accountId,
    rateHz: header.rateHz,
    startSample: header.startSample,
    endSample: end.atSample,
    startedUnixMs: header.originUnixMs + Math.round((header.startSample * 1000) / header.rateHz),
    endedUnixMs: end.endedUnixMs,
    reason: end.reason,
    sealedKey: header.sealedKey,
    tracks: summariseTracks(records, end.atSample),
    meta: header.meta,
  };
}

function summariseTracks(records: readonly ManifestRecord[], recordingEndSample: number): TrackSummary[] {
  const ends = new Map<string, ManifestTrackEnd>();
  for (const record of records) if (record.type === 'track-end') ends.set(record.trackId, record);
  return records
    .filter((record): record is ManifestTrack => record.type === 'track')
    .map(({ trackId, party, startSample }) => {
      const end = ends.get(trackId);
      return {
        trackId,
        party,
        startSample,
        endSample: end?.endSample ?? recordingEndSample,
        packets: end?.packets ?? 0,
      };
    });
}
