import { CallreelError } from '../errors.ts';
import { aacDelaySamples, aacFrameSamples } from './aac.ts';
import { type Bytes, box, fullBox, u16, u32, u32List, u64 } from './mp4-box.ts';
import { trackId } from './mp4-movie.ts';

export interface Mp4Fragment {
  /** From 1. */
  sequence: number;
  /** Of the fragment's first sample, in the track's own time. */
  decodeTime: number;
  frames: readonly Uint8Array[];
  /** Of its data; what the frames leave of it is filled up. As long as the frames unless given. */
  dataBytes?: number;
  /** In samples, of the last fragment of a file: the audio ends within its last frame. */
  lastFrameSamples?: number;
}

/** One `moof` with its `mdat`, and where in it the frames begin. */
export function mp4Fragment(fragment: Mp4Fragment): { bytes: Bytes; framesAt: number } {
  const { sequence, decodeTime, frames, lastFrameSamples } = fragment;
  const sizes = frames.map((frame) => frame.length);
  const framesBytes = sizes.reduce((sum, size) => sum + size, 0);
  const { dataBytes = framesBytes } = fragment;
  if (framesBytes > dataBytes) throw new CallreelError('RENDER_FAILED', 'AAC beyond its bit rate');
  const isLast = lastFrameSamples !== undefined;
  const durationOf = (k: number) => (k === sizes.length - 1 ? lastFrameSamples! : aacFrameSamples);
  const entries = isLast ? sizes.flatMap((size, k) => [durationOf(k), size]) : sizes;
  const framesAt = mp4FragmentHeadBytes(frames.length, isLast);
  const head = box(
    'moof',
    fullBox('mfhd', 0, 0, u32(sequence)),
    box(
      'traf',
      fullBox('tfhd', 0, baseIsMoof, u32(trackId)),
      fullBox('tfdt', 1, 0, u64(decodeTime)),
      fullBox(
        'trun',
        0,
        isLast ? offsetDurationsSizes : offsetSizes,
        u32(frames.length, framesAt),
        u32List(entries),
      ),
    ),
  );
  const filler = new Uint8Array(dataBytes - framesBytes);
  return { bytes: Buffer.concat([head, box('mdat', ...frames, filler)]), framesAt };
}

const baseIsMoof = 0x020000;
const offsetSizes = 0x000201;
const offsetDurationsSizes = 0x000301;

/** The `moof` of so many frames, and the head of its `mdat`. */
export function mp4FragmentHeadBytes(frames: number, isLast: boolean): number {
  return 96 + (isLast ? 8 : 4) * frames;
}

/**
 * Where each fragment begins, so that a player can jump there, and what it plays of the `samples` of audio: `sidx`, of
 * fragments right behind it. Times are as they are played, without what the edit list cuts off at both ends.
 */
export function mp4Index(
  rateHz: number,
  samples: number,
  fragments: readonly { bytes: number; frames: number }[],
): Bytes {
  const maxReferences = 0xffff;
  if (fragments.length > maxReferences) return new Uint8Array(0);
  const beginsIndependent = 0x9000_0000;
  const references: number[] = [];
  let playedTo = 0;
  let end = -aacDelaySamples;
  for (const { bytes, frames } of fragments) {
    end += frames * aacFrameSamples;
    references.push(bytes, Math.min(end, samples) - playedTo, beginsIndependent);
    playedTo = Math.min(end, samples);
  }
  return fullBox(
    'sidx',
    1,
    0,
    u32(trackId, rateHz),
    u64(0, 0), // the earliest time, and the distance of the first fragment
    u16(0, fragments.length),
    u32List(references),
  );
}
