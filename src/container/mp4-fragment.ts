import { CallreelError } from '../errors.ts';
import { aacFrameSamples } from './aac.ts';
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
}

/** One `moof` with its `mdat`, and where in it the frames begin. */
export function mp4Fragment({ sequence, decodeTime, frames, dataBytes }: Mp4Fragment): {
  bytes: Bytes;
  framesAt: number;
} {
  const sizes = frames.map((frame) => frame.length);
  const framesBytes = sizes.reduce((sum, size) => sum + size, 0);
  const room = dataBytes ?? framesBytes;
  if (framesBytes > room) throw new CallreelError('RENDER_FAILED', 'AAC beyond its bit rate');
  const framesAt = mp4FragmentHeadBytes(frames.length);
  const head = box(
    'moof',
    fullBox('mfhd', 0, 0, u32(sequence)),
    box(
      'traf',
      fullBox('tfhd', 0, baseIsMoof, u32(trackId)),
      fullBox('tfdt', 1, 0, u64(decodeTime)),
      fullBox('trun', 0, dataOffsetAndSizes, u32(frames.length, framesAt), u32List(sizes)),
    ),
  );
  return {
    bytes: Buffer.concat([head, box('mdat', ...frames, new Uint8Array(room - framesBytes))]),
    framesAt,
  };
}

const baseIsMoof = 0x020000;
const dataOffsetAndSizes = 0x000201;

/** The `moof` of so many frames, and the head of its `mdat`. */
export function mp4FragmentHeadBytes(frames: number): number {
  return 96 + 4 * frames;
}

/** Where each fragment of a file begins, so that a player can jump there: `sidx`, of fragments right behind it. */
export function mp4Index(rateHz: number, fragments: readonly { bytes: number; frames: number }[]): Bytes {
  const maxReferences = 0xffff;
  if (fragments.length > maxReferences) return new Uint8Array(0);
  const beginsIndependent = 0x9000_0000;
  const references = fragments.flatMap(({ bytes, frames }) => [
    bytes,
    frames * aacFrameSamples,
    beginsIndependent,
  ]);
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
