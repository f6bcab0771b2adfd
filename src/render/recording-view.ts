import { CallreelError } from '../errors.ts';
import { trackRecords } from '../spool/growing-recording.ts';
import type { SpoolRecording } from '../spool/reader.ts';
import type { RecordingView } from './track-source.ts';

/** A recording as the spool has it, for rendering. */
export function recordingView(
  recording: SpoolRecording,
  onDamage?: RecordingView['onDamage'],
): RecordingView {
  const { header, startSample, tracks, pauses, end } = recording;
  return {
    rateHz: header.rateHz,
    ...(header.direction && { direction: header.direction }),
    startSample: end?.trim?.fromSample ?? startSample,
    endSample: end?.trim?.toSample ?? end?.atSample,
    tracks: tracks.map((track) => ({
      trackId: track.trackId,
      side: track.side,
      connectionId: track.party.connectionId,
      startSample: track.startSample,
      endSample: track.endSample,
      records: () => ({ [Symbol.iterator]: () => trackRecords(track) }),
    })),
    pauses,
    ...(onDamage ? { onDamage } : {}),
  };
}

/**
 * One of its consent clips, as if it was a recording.
 * @throws CallreelError NOT_FOUND
 */
export function clipView(recording: SpoolRecording, clipId: string): RecordingView {
  const clip = recording.clips.find(({ trackId }) => trackId === clipId);
  if (!clip) throw new CallreelError('NOT_FOUND', 'there is no such clip', { where: clipId });
  const { startSample, endSample = startSample } = clip;
  const view = recordingView({ ...recording, startSample, tracks: [clip], pauses: [], end: undefined });
  return { ...view, endSample };
}
