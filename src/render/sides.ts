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

/** Of all pairs of a thread. */
let leftSamples = new Int16Array(0);
let rightSamples = new Int16Array(0);
let leftWords = new Int32Array(0);
let rightWords = new Int32Array(0);

type ClosableReader = SampleReader & { close(): void };

/** Two signals side by side: `read` fills pairs of a left and a right sample. */
export class StereoReader implements SampleReader {
  readonly #sides: readonly [ClosableReader, ClosableReader];

  constructor(left: ClosableReader, right: ClosableReader) {
    this.#sides = [left, right];
  }

  read(out: Int16Array): void {
    const samples = out.length / 2;
    if (leftSamples.length < samples) {
      leftWords = new Int32Array(Math.ceil(samples / 2));
      rightWords = new Int32Array(leftWords.length);
      leftSamples = new Int16Array(leftWords.buffer);
      rightSamples = new Int16Array(rightWords.buffer);
    }
    const left = leftSamples.subarray(0, samples);
    const right = rightSamples.subarray(0, samples);
    this.#sides[0].read(left);
    this.#sides[1].read(right);
    if (out.byteOffset % 4 === 0)
      interleaveWords(samples, new Int32Array(out.buffer, out.byteOffset, samples));
    else interleave(left, right, out);
  }

  close(): void {
    for (const side of this.#sides) side.close();
  }
}

function interleave(left: Int16Array, right: Int16Array, out: Int16Array): void {
  const samples = left.length;
  for (let k = 0; k < samples; k += 1) {
    out[2 * k] = left[k]!;
    out[2 * k + 1] = right[k]!;
  }
}

/** Two samples of a side at once, and a pair at once. The machine is little-endian. */
function interleaveWords(samples: number, out: Int32Array): void {
  const left = leftWords;
  const right = rightWords;
  const even = samples & ~1;
  for (let k = 0; k < even; k += 2) {
    const l = left[k >> 1]!;
    const r = right[k >> 1]!;
    out[k] = (l & 0xffff) | (r << 16);
    out[k + 1] = (l >>> 16) | (r & ~0xffff);
  }
  if (even < samples) out[even] = (leftSamples[even]! & 0xffff) | (rightSamples[even]! << 16);
}
