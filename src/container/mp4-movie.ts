import { aacDelaySamples, aacFrameSamples, aacFrames } from './aac.ts';
import { type Bytes, box, fullBox, text, u8, u16, u32, u32List, u64, u64List } from './mp4-box.ts';

export interface Mp4Track {
  rateHz: number;
  channels: 1 | 2;
  bitRateKbps: number;
  /** AudioSpecificConfig. */
  config: Uint8Array;
}

/** What the audio became, for the movie of a finished file. */
export interface Mp4Chunks {
  /** Samples of audio. */
  samples: number;
  /** Bytes of each AAC frame. */
  frameBytes: readonly number[];
  /** Runs of frames, one after the other in the file. */
  chunks: readonly { at: number; frames: number }[];
}

/** All times count samples, the movie's too. */
export const trackId = 1;
const identityMatrix = u32(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000);
const undetermined = 0x55c4; // language "und"

const fileType = box('ftyp', text('iso6'), u32(0), text('iso6'), text('isom'), text('mp41'));
/** Keeps the place of the header that turns everything behind it into one `mdat` (`mp4Enclosure`). */
const placeholder = box('free', new Uint8Array(8));

/** What stands before the fragments. @param samples of audio; undefined: it grows */
export function mp4Head(track: Mp4Track, samples?: number): Bytes {
  const length = samples ? [fullBox('mehd', 1, 0, u64(samples))] : [];
  const defaults = fullBox('trex', 0, 0, u32(trackId, 1, aacFrameSamples, 0, allIndependent));
  const extension = box('mvex', ...length, defaults);
  const movie = box(
    'moov',
    movieHeader(track),
    trackBox(track, samples ?? 0),
    extension,
    ...gapless(samples),
  );
  return Buffer.concat([fileType, placeholder, movie]);
}

/** What stands behind them once all are there: a movie that needs no fragments. */
export function mp4Movie(track: Mp4Track, chunks: Mp4Chunks): Bytes {
  return box(
    'moov',
    movieHeader(track, chunks.samples),
    trackBox(track, chunks.samples, chunks),
    ...gapless(chunks.samples),
  );
}

/** The header that hides the fragments of a file of `fileBytes` before the movie, and where it goes. */
export function mp4Enclosure(fileBytes: number): { bytes: Bytes; at: number } {
  const at = fileType.length;
  return { bytes: Buffer.concat([u32(1), text('mdat'), u64(fileBytes - at)]), at };
}

const allIndependent = 0x02000000;

function movieHeader({ rateHz }: Mp4Track, samples = 0): Bytes {
  const rateAndVolume = [u32(0x10000), u16(0x0100), new Uint8Array(10)];
  const nextTrackId = u32(trackId + 1);
  // No time of creation: the same audio is the same file.
  const times = [u64(0, 0), u32(rateHz), u64(samples)];
  return fullBox('mvhd', 1, 0, ...times, ...rateAndVolume, identityMatrix, new Uint8Array(24), nextTrackId);
}

function trackBox(track: Mp4Track, samples: number, chunks?: Mp4Chunks): Bytes {
  const enabledInMovieAndPreview = 7;
  const header = fullBox(
    'tkhd',
    1,
    enabledInMovieAndPreview,
    u64(0, 0),
    u32(trackId, 0),
    u64(chunks?.samples ?? 0),
    u32(0, 0),
    u16(0, 0, 0x0100, 0), // layer, alternate group, volume
    identityMatrix,
    u32(0, 0),
  );
  // The edit cuts off what the encoder put in front, and what it added to fill the last frame. 0: to the end.
  const edit = fullBox('elst', 1, 0, u32(1), u64(samples, aacDelaySamples), u16(1, 0));
  const mediaSamples = (chunks?.frameBytes.length ?? 0) * aacFrameSamples;
  const times = [u64(0, 0), u32(track.rateHz), u64(mediaSamples)];
  const mediaHeader = fullBox('mdhd', 1, 0, ...times, u16(undetermined, 0));
  const handler = fullBox('hdlr', 0, 0, u32(0), text('soun'), u32(0, 0, 0), text('audio\0'));
  const here = fullBox('url ', 0, 1);
  const information = box(
    'minf',
    fullBox('smhd', 0, 0, u32(0)),
    box('dinf', fullBox('dref', 0, 0, u32(1), here)),
    box('stbl', fullBox('stsd', 0, 0, u32(1), sampleEntry(track)), ...sampleTables(chunks)),
  );
  return box('trak', header, box('edts', edit), box('mdia', mediaHeader, handler, information));
}

function sampleEntry({ rateHz, channels, bitRateKbps, config }: Mp4Track): Bytes {
  const bitRate = bitRateKbps * 1000;
  const streamTypeAudio = 0x15;
  const decoderConfig = descriptor(
    4,
    u8(0x40, streamTypeAudio, 0, 0, 0),
    u32(bitRate, bitRate),
    descriptor(5, config),
  );
  return box(
    'mp4a',
    u16(0, 0, 0, 1), // reserved, and the data reference
    u32(0, 0),
    u16(channels, 16, 0, 0), // bits a sample
    u32(rateHz * 0x10000),
    fullBox('esds', 0, 0, descriptor(3, u16(0), u8(0), decoderConfig, descriptor(6, u8(2)))),
  );
}

/** ISO/IEC 14496-1 7.2; all of ours are shorter than 128 bytes. */
function descriptor(tag: number, ...content: readonly Bytes[]): Bytes {
  const bytes = Buffer.concat(content);
  return Buffer.concat([u8(tag, bytes.length), bytes]);
}

function sampleTables(
  { frameBytes, chunks }: Mp4Chunks = { samples: 0, frameBytes: [], chunks: [] },
): Bytes[] {
  const durations = frameBytes.length > 0 ? [1, frameBytes.length, aacFrameSamples] : [0];
  const runs = chunks.flatMap(({ frames }, k) =>
    frames === chunks[k - 1]?.frames ? [] : [k + 1, frames, 1],
  );
  return [
    fullBox('stts', 0, 0, u32(...durations)),
    fullBox('stsc', 0, 0, u32(runs.length / 3), u32List(runs)),
    fullBox('stsz', 0, 0, u32(0, frameBytes.length), u32List(frameBytes)),
    fullBox('co64', 0, 0, u32(chunks.length), u64List(chunks.map(({ at }) => at))),
  ];
}

/** Stands for a length that is not known yet: beyond every recording. */
const openEnd = 0x7fffffff;

/**
 * What the edit list says, once more for those who pass over it, or who (FFmpeg) follow it in a fragmented file with
 * the times only and not with the samples: iTunes' own note of the samples before the audio, behind it, and of the
 * audio.
 */
function gapless(samples: number | undefined): Bytes[] {
  if (samples === 0) return [];
  const behind = samples ? aacFrames(samples) * aacFrameSamples - aacDelaySamples - samples : 0;
  const hex = (value: number, digits: number) => value.toString(16).toUpperCase().padStart(digits, '0');
  const length = hex(samples ?? openEnd, 16);
  const note = ` ${hex(0, 8)} ${hex(aacDelaySamples, 8)} ${hex(behind, 8)} ${length}`;
  const utf8 = 1;
  const item = box(
    '----',
    fullBox('mean', 0, 0, text('com.apple.iTunes')),
    fullBox('name', 0, 0, text('iTunSMPB')),
    box('data', u32(utf8, 0), text(note)),
  );
  const handler = fullBox('hdlr', 0, 0, u32(0), text('mdirappl'), u32(0, 0), u8(0));
  return [box('udta', fullBox('meta', 0, 0, handler, box('ilst', item)))];
}
