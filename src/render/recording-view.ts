import { readTrack, type SpoolRecording } from '../spool/reader.ts';
import type { RecordingView } from './track-source.ts';

/** A recording as the spool has it, for rendering. */
export function recordingView(
  recording: SpoolRecording,
  onDamage?: RecordingView['onDamage'],
): RecordingView {
  const { header, tracks, pauses, end } = recording;
  return {
    rateHz: header.rateHz,
    startSample: header.startSample,
    endSample: end?.atSample,
    tracks: tracks.map((track) => ({
      trackId: track.trackId,
      connectionId: track.party.connectionId,
      startSample: track.startSample,
      endSample: track.endSample,
      records: () => readTrack(track),
    })),
    pauses,
    ...(onDamage ? { onDamage } : {}),
  };
}
