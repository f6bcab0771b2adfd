import type { RecordingView, TrackView } from './track-source.ts';

/** What a party did while it was recorded, on the room's clock. A key is a moment: where it went down. */
export type TrackMark =
  | { kind: 'dtmf'; trackId: string; digit: string; fromSample: number; toSample: number }
  | { kind: 'hold'; trackId: string; fromSample: number; toSample: number };

/** Of one recording. */
const maxTrackMarks = 10_000;

/** What is known of a recording's keys and holds, by time; the first 10,000. Reads all of its tracks. */
export function trackMarks(view: RecordingView): TrackMark[] {
  const { startSample, endSample = Number.MAX_SAFE_INTEGER } = view;
  return view.tracks
    .flatMap((track) => [...marksOf(track, view)])
    .map((mark) => ({
      ...mark,
      fromSample: Math.max(startSample, mark.fromSample),
      toSample: Math.min(endSample, mark.toSample),
    }))
    .filter(({ fromSample, toSample }) => fromSample <= toSample)
    .sort((a, b) => a.fromSample - b.fromSample)
    .slice(0, maxTrackMarks);
}

function* marksOf(track: TrackView, { rateHz, endSample }: RecordingView): Generator<TrackMark> {
  const { trackId } = track;
  const sampleAt = (arrivalUs: number) => Math.round((arrivalUs * rateHz) / 1_000_000);
  let count = 0;
  let heldFrom: number | undefined;
  for (const record of track.records()) {
    if (record.kind === 'digit' && count++ < maxTrackMarks) {
      const at = sampleAt(record.arrivalUs);
      yield { kind: 'dtmf', trackId, digit: record.digit, fromSample: at, toSample: at };
    }
    if (record.kind !== 'hold' || record.held === (heldFrom !== undefined)) continue;
    const at = sampleAt(record.arrivalUs);
    if (heldFrom !== undefined && count++ < maxTrackMarks)
      yield { kind: 'hold', trackId, fromSample: heldFrom, toSample: at };
    heldFrom = record.held ? at : undefined;
  }
  const toSample = track.endSample ?? endSample;
  if (heldFrom !== undefined && toSample !== undefined)
    yield { kind: 'hold', trackId, fromSample: heldFrom, toSample: Math.max(heldFrom, toSample) };
}
