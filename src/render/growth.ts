import { limiterBlockSamples, limiterLookaheadBlocks } from '../audio/limiter.ts';
import { lookAheadSeconds } from './channel.ts';
import { firstSampleBehindPause, PlacedPackets } from './placed-packets.ts';
import type { RecordingView } from './track-source.ts';

/**
 * The newest packet of one track may be on the disk while another's of the same moment still waits for the writer
 * (design rule 2: written within 100 ms); the rest is for a disk that is slow.
 */
export const spoolDelayUs = 1_000_000;

/**
 * How far the channels of a growing recording may be rendered: no late packet will change anything before this
 * position any more. It follows from what is in the segment files alone, so the spool must have been settled for the
 * conversation just before (`spool.settle`): otherwise one track's file may lie further behind another's.
 */
export function settledEnd(view: RecordingView): number {
  const tracks = view.tracks.map((track) => new PlacedPackets(track, view));
  for (const packets of tracks) while (packets.before(Number.POSITIVE_INFINITY));
  const arrivedUs = Math.max(0, ...tracks.map((packets) => packets.lastArrivalUs));
  const open = tracks.filter((_, index) => view.tracks[index]?.endSample === undefined);
  return settledBy(view, open, settledByUs(arrivedUs, 0));
}

/**
 * Of packets that arrived before this all are there.
 * @param arrivedUs when the newest packet arrived that was there, of any track, when the spool was settled
 * @param pausedUntilUs as `settledBy`
 */
export function settledByUs(arrivedUs: number, pausedUntilUs: number): number {
  return Math.max(arrivedUs - spoolDelayUs, pausedUntilUs);
}

/**
 * As `settledEnd`, of packets that are read already.
 * @param open the tracks that may go on
 * @param nowUs all packets that arrived before were read (`settledByUs`)
 * @param pausedUntilUs the recording has paused for so long that no packet waits for others to tell its place, and
 *   pauses until then at least, on the room's clock
 */
export function settledBy(
  view: Pick<RecordingView, 'rateHz' | 'startSample'>,
  open: readonly PlacedPackets[],
  nowUs: number,
  pausedUntilUs = 0,
): number {
  const nowSample = Math.floor((nowUs * view.rateHz) / 1_000_000);
  const pausedUntilSample = Math.floor((pausedUntilUs * view.rateHz) / 1_000_000);
  const behindPause = firstSampleBehindPause(pausedUntilSample, view.rateHz);
  const settled = open.map((packets) => {
    packets.elapsed(nowUs);
    return Math.max(packets.settledSample(nowSample), behindPause);
  });
  // What a channel is at a position also depends on packets a little behind it.
  const end = Math.min(nowSample, ...settled) - Math.ceil(lookAheadSeconds * view.rateHz);
  return Math.max(view.startSample, end);
}

/** How far the mix may be rendered while it grows: the limiter looks ahead. */
export function settledMixEnd(view: RecordingView, settled: number): number {
  const lookahead = (limiterLookaheadBlocks + 1) * limiterBlockSamples(view.rateHz);
  return Math.max(view.startSample, settled - lookahead);
}
