import { setImmediate } from 'node:timers/promises';
import type { PauseBehaviour } from '../spool/records.ts';
import type { TimelineMark } from '../timeline/marks.ts';
import { settledEnd } from './growth.ts';
import { PauseMap } from './pause-map.ts';
import { PlacedPackets } from './placed-packets.ts';
import { type TrackMark, trackMarks } from './track-marks.ts';
import { type RecordingView, type TrackView, trackEnd } from './track-source.ts';

type Found =
  | (TimelineMark & { trackId: string })
  | { kind: 'join' | 'leave'; atSample: number; trackId: string }
  | { kind: 'dtmf'; atSample: number; trackId: string; digit: string }
  | { kind: 'hold'; atSample: number; samples: number; trackId: string }
  /** `samples` is undefined while it lasts. */
  | { kind: 'pause'; atSample: number; samples: number | undefined; behaviour: PauseBehaviour };

/** What happened in a recording, at a sample of the room's clock; `fileSample` is where it is in a file of the mix. */
export type RecordingMark = Found & { fileSample: number };

/** What somebody would read of one recording; the first ones. */
export const maxRecordingMarks = 10_000;

/** So many packets are read before others on the thread have their turn. */
const turnPackets = 500;

/**
 * The marks of all tracks and of the recording itself, in order of position, those in the recording's span only. Of a
 * recording that goes on: of what is settled.
 * @throws CallreelError SPOOL_CORRUPT, unless the view has `onDamage`
 */
export async function recordingMarks(
  view: RecordingView,
): Promise<{ marks: RecordingMark[]; isTruncated: boolean }> {
  const endSample = Math.max(view.startSample, view.endSample ?? settledEnd(view));
  const found: Found[] = view.pauses.map(({ fromSample, toSample, behaviour }) => {
    const samples = toSample === undefined ? undefined : toSample - fromSample;
    return { kind: 'pause', atSample: fromSample, samples, behaviour };
  });
  found.push(...trackMarks(view).map(ofParty));
  for (const track of view.tracks) found.push(...(await streamMarks(track, view, endSample)));
  const inSpan = found
    .filter(({ atSample }) => atSample >= view.startSample && atSample <= endSample)
    .sort((a, b) => a.atSample - b.atSample);
  const pauses = new PauseMap({ fromSample: view.startSample, toSample: endSample }, view.pauses);
  const marks = inSpan
    .slice(0, maxRecordingMarks)
    .map((mark) => ({ ...mark, fileSample: pauses.fileSampleOf(mark.atSample) }));
  return { marks, isTruncated: inSpan.length > marks.length };
}

function ofParty(mark: TrackMark): Found {
  const { kind, trackId, fromSample: atSample, toSample } = mark;
  if (kind === 'hold') return { kind, atSample, samples: toSample - atSample, trackId };
  return { kind, atSample, trackId, digit: mark.digit };
}

async function streamMarks(track: TrackView, view: RecordingView, endSample: number): Promise<Found[]> {
  const { trackId, startSample } = track;
  const { turn = setImmediate } = view;
  const packets = new PlacedPackets(track, view);
  try {
    let sinceTurn = 0;
    for (let packet = packets.before(endSample); packet; packet = packets.before(endSample)) {
      sinceTurn += 1 + packet.followers;
      if (sinceTurn < turnPackets) continue;
      sinceTurn = 0;
      await turn();
    }
    const own = packets.marks.filter(({ kind }) => kind !== 'concealed' || view.lossConcealment !== 'off');
    const found: Found[] = [{ kind: 'join', atSample: Math.max(view.startSample, startSample), trackId }];
    found.push(...own.map((mark) => ({ ...mark, trackId })));
    if (track.endSample !== undefined)
      found.push({ kind: 'leave', atSample: trackEnd(track, endSample), trackId });
    return found;
  } finally {
    packets.close();
  }
}
