import { decoder } from '@audio/decode-aac';
import { aacFrameSamples } from './aac.ts';
import { editOf, fragmentFrames, inner, movieFrames, wholeBoxes } from './test-mp4.ts';

export interface PlayedMp4 {
  rateHz: number;
  /** -1 to 1. */
  channels: Float32Array[];
}

/**
 * What a player makes of a file, whole or cut off: the frames of its fragments, or of its movie, through FAAD2, then
 * what the edit list leaves of it. Of a file that grows the edit is open: all that is there.
 */
export async function playMp4(file: Buffer): Promise<PlayedMp4> {
  const hasFragments = wholeBoxes(inner(file, 'moov')).boxes.some(({ type }) => type === 'mvex');
  const frames = hasFragments ? fragmentFrames(file).frames : movieFrames(file);
  const { pcm, rateHz } = await decodeAac(configOf(file), frames);
  const { samples, fromSample } = editOf(file);
  const channels = pcm.map((channel) => {
    // FAAD2 keeps back its first frame: with its overlap alone there is nothing to hear of it yet.
    const from = fromSample - (frames.length * aacFrameSamples - channel.length);
    if (from < 0) throw new Error('the edit begins before what is decoded');
    return channel.subarray(from, samples === 0 && hasFragments ? undefined : from + samples);
  });
  return { rateHz, channels };
}

async function decodeAac(
  config: Uint8Array,
  frames: readonly Uint8Array[],
): Promise<{ pcm: Float32Array[]; rateHz: number }> {
  const aac = await decoder({ asc: config });
  const { channelData, sampleRate } = aac.decode([...frames]);
  aac.free();
  const decoded = channelData[0]?.length ?? 0;
  if (decoded < (frames.length - 1) * aacFrameSamples)
    throw new Error(`only ${decoded} samples of ${frames.length} frames were decoded`);
  return { pcm: channelData, rateHz: sampleRate };
}

/** AudioSpecificConfig of the first track: ISO/IEC 14496-12 12.2.3, 14496-1 7.2.6. */
function configOf(file: Buffer): Uint8Array {
  const description = inner(file, 'moov', 'trak', 'mdia', 'minf', 'stbl', 'stsd');
  const [entriesAt, sampleEntryBytes] = [8, 36];
  const descriptors = inner(description.subarray(entriesAt + sampleEntryBytes), 'esds').subarray(4);
  /** Bytes of each descriptor before those that are in it. */
  const heads: Record<number, number> = { 3: 3, 4: 13 };
  for (let at = 0; at < descriptors.length; ) {
    const [tag, length] = [descriptors[at]!, descriptors[at + 1]!];
    if (tag === 5) return descriptors.subarray(at + 2, at + 2 + length);
    at += 2 + (heads[tag] ?? length);
  }
  throw new Error('no decoder configuration');
}
