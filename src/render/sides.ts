import { maxKernelSamples, sampleKernel } from '../codec/sample-kernel.ts';
import type { ChannelRange } from './pause-map.ts';
import type { RecordingView, SampleReader, TrackView } from './track-source.ts';

/** The two sides of a stereo file. */
export interface Sides {
  /** Of a call by itself what the party says; of a room the party that joined first, in all its stays. */
  left: RecordingView;
  /** What the party hears; everybody else. */
  right: RecordingView;
}

export function sidesOf(view: RecordingView): Sides {
  if (view.tracks.some(({ side }) => side === 'heard')) return callSides(view);
  const partyOf = ({ connectionId, trackId }: TrackView) => connectionId ?? trackId;
  const first = view.tracks[0] && partyOf(view.tracks[0]);
  const isLeft = (track: TrackView) => partyOf(track) === first;
  return {
    left: { ...view, tracks: view.tracks.filter(isLeft) },
    right: { ...view, tracks: view.tracks.filter((track) => !isLeft(track)) },
  };
}

/** The stays of each party, in the order in which they came; of a call by itself what it hears is one by itself. */
export function partiesOf({ tracks }: Pick<RecordingView, 'tracks'>): TrackView[][] {
  const partyOf = ({ connectionId, trackId, side = 'said' }: TrackView) =>
    side === 'heard' ? side : `said ${connectionId ?? trackId}`;
  return [...Map.groupBy(tracks, partyOf).values()];
}

/** The channels of a stereo file in which a masked span is heard: a side that is not recorded stays silent. */
export function tonedSides({ direction }: RecordingView): ChannelRange {
  return { first: direction === 'listen' ? 1 : 0, beyond: direction === 'speak' ? 1 : 2 };
}

function callSides(view: RecordingView): Sides {
  const isHeard = ({ side }: TrackView) => side === 'heard';
  return {
    left: { ...view, tracks: view.tracks.filter((track) => !isHeard(track)) },
    right: { ...view, tracks: view.tracks.filter(isHeard) },
  };
}

type ClosableReader = SampleReader & { close(): void };

/** Two signals side by side: `read` fills pairs of a left and a right sample. */
export class StereoReader implements SampleReader {
  readonly #sides: readonly [ClosableReader, ClosableReader];

  constructor(left: ClosableReader, right: ClosableReader) {
    this.#sides = [left, right];
  }

  read(out: Int16Array): void {
    const kernel = sampleKernel();
    for (let at = 0; at < out.length; ) {
      const samples = Math.min(maxKernelSamples, (out.length - at) / 2);
      this.#sides[0].read(kernel.left.subarray(0, samples));
      this.#sides[1].read(kernel.right.subarray(0, samples));
      kernel.interleave(samples, out, at);
      at += 2 * samples;
    }
  }

  close(): void {
    for (const side of this.#sides) side.close();
  }
}
