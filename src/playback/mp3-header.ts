export interface Mp3Frame {
  /** Of the frame's first byte. */
  offset: number;
  bytes: number;
  rateHz: number;
}

const tagHeaderBytes = 10;
/** Junk and padding between a tag and the first frame. */
const maxGapBytes = 64 * 1024;

/** Hz by the index in the header, for MPEG-1; MPEG-2 has half, MPEG-2.5 a quarter. */
const rates = [44_100, 48_000, 32_000];
/** kbit/s by the index in the header, layer III (ISO/IEC 11172-3 2.4.2.3, 13818-3 2.4.2.3). */
const bitRatesMpeg1 = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
const bitRatesMpeg2 = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];

/**
 * Finds the first frame of an MP3 file: one that the next one follows, or that ends with the file. Any other
 * file may hold a few bytes that look like a frame header.
 */
export function firstMp3Frame(bytes: Uint8Array): Mp3Frame | undefined {
  const begin = tagBytes(bytes);
  const end = Math.min(bytes.length, begin + maxGapBytes);
  for (let offset = begin; offset < end; offset++) {
    if (bytes[offset] !== 0xff) continue;
    const frame = frameAt(bytes, offset);
    if (!frame) continue;
    const next = offset + frame.bytes;
    if (next === bytes.length || frameAt(bytes, next)?.rateHz === frame.rateHz) return frame;
  }
  return undefined;
}

/** Length of the ID3v2 tags in front (id3.org, ID3v2.4 structure 3.1). */
function tagBytes(bytes: Uint8Array): number {
  let at = 0;
  while (at + tagHeaderBytes <= bytes.length && isTag(bytes, at)) {
    const [a = 0, b = 0, c = 0, d = 0] = bytes.subarray(at + 6, at + 10);
    const hasFooter = (bytes[at + 5]! & 0x10) !== 0;
    at += tagHeaderBytes + ((a << 21) | (b << 14) | (c << 7) | d) + (hasFooter ? tagHeaderBytes : 0);
  }
  return at;
}

function isTag(bytes: Uint8Array, at: number): boolean {
  const isId3 = bytes[at] === 0x49 && bytes[at + 1] === 0x44 && bytes[at + 2] === 0x33;
  return isId3 && bytes.subarray(at + 6, at + 10).every((byte) => byte < 0x80);
}

function frameAt(bytes: Uint8Array, offset: number): Mp3Frame | undefined {
  const [sync = 0, version = 0, rates = 0] = bytes.subarray(offset, offset + 4);
  // Eleven bits of sync, layer III, no reserved version.
  if (sync !== 0xff || (version & 0xe6) !== 0xe2 || (version & 0x18) === 0x08) return undefined;
  const rateHz = rateOf(version, (rates >> 2) & 3);
  const isMpeg1 = (version & 0x18) === 0x18;
  const bitRateKbps = (isMpeg1 ? bitRatesMpeg1 : bitRatesMpeg2)[rates >> 4];
  if (!rateHz || !bitRateKbps) return undefined;
  const padding = (rates >> 1) & 1;
  const samplesPerFrame = isMpeg1 ? 1152 : 576;
  return {
    offset,
    bytes: Math.floor(((samplesPerFrame / 8) * bitRateKbps * 1000) / rateHz) + padding,
    rateHz,
  };
}

function rateOf(version: number, index: number): number | undefined {
  const base = rates[index];
  if (base === undefined) return undefined;
  return base / ({ 24: 1, 16: 2 }[version & 0x18] ?? 4);
}
