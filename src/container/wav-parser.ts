import { CallreelError } from '../errors.ts';

export type WavEncoding = 'pcm8' | 'pcm16' | 'pcm24' | 'pcm32' | 'float32' | 'float64' | 'alaw' | 'ulaw';

export interface ParsedWav {
  encoding: WavEncoding;
  rateHz: number;
  channels: number;
  /** Samples a channel. */
  frames: number;
  /** The audio bytes, a view on the input, whole frames only. */
  data: Uint8Array;
}

interface Format {
  encoding: WavEncoding;
  rateHz: number;
  channels: number;
  frameBytes: number;
}

/** A file with more chunks than this is not audio that somebody made. */
const maxChunks = 1000;
const maxChannels = 64;
const maxRateHz = 384_000;
const extensibleTag = 0xfffe;
const wholeFile = 0xffff_ffff;

/** By format tag and bits a sample. */
const encodings = new Map<string, WavEncoding>([
  ['1/8', 'pcm8'],
  ['1/16', 'pcm16'],
  ['1/24', 'pcm24'],
  ['1/32', 'pcm32'],
  ['3/32', 'float32'],
  ['3/64', 'float64'],
  ['6/8', 'alaw'],
  ['7/8', 'ulaw'],
]);

/**
 * Reads a RIFF or RF64 WAV file with PCM, floating-point or G.711 audio. A data chunk that claims more than there is
 * (a file that still grows, or was cut off), or nothing although audio follows (a stream whose length was never filled
 * in), ends with the file.
 * @throws CallreelError AUDIO_INVALID
 */
export function parseWav(bytes: Uint8Array): ParsedWav {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 12 || !['RIFF', 'RF64'].includes(tagAt(bytes, 0)) || tagAt(bytes, 8) !== 'WAVE') {
    throw invalid('not a WAV file', 0);
  }
  let format: Format | undefined;
  let longDataBytes: number | undefined;
  let offset = 12;
  for (let chunk = 0; chunk < maxChunks && offset + 8 <= bytes.length; chunk += 1) {
    const tag = tagAt(bytes, offset);
    const size = view.getUint32(offset + 4, true);
    const body = offset + 8;
    if (tag === 'data') return withData(bytes.subarray(body), size, longDataBytes, format, offset);
    if (tag === 'fmt ') format = parseFormat(view, body, size);
    if (tag === 'ds64' && size >= 16 && body + 16 <= bytes.length) {
      longDataBytes = Number(view.getBigUint64(body + 8, true));
    }
    offset = body + size + (size & 1);
  }
  throw invalid('no data chunk', offset);
}

function withData(
  rest: Uint8Array,
  size: number,
  longDataBytes: number | undefined,
  format: Format | undefined,
  offset: number,
): ParsedWav {
  if (!format) throw invalid('no fmt chunk before the data chunk', offset);
  const isOpen = size === wholeFile || (size === 0 && !areChunks(rest));
  const claimed = isOpen ? (longDataBytes ?? rest.length) : size;
  const { encoding, rateHz, channels, frameBytes } = format;
  const frames = Math.floor(Math.min(claimed, rest.length) / frameBytes);
  return { encoding, rateHz, channels, frames, data: rest.subarray(0, frames * frameBytes) };
}

/** Whether the bytes are chunks to their end, as behind audio that is really empty. */
function areChunks(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let offset = 0;
  for (let chunk = 0; chunk < maxChunks && offset + 8 <= bytes.length; chunk += 1) {
    if (!/^[ -~]{4}$/.test(tagAt(bytes, offset))) return false;
    const size = view.getUint32(offset + 4, true);
    offset += 8 + size + (size & 1);
  }
  return offset === bytes.length || offset === bytes.length + 1;
}

function parseFormat(view: DataView, body: number, size: number): Format {
  if (size < 16 || body + size > view.byteLength) throw invalid('fmt chunk too short', body);
  const tag = view.getUint16(body, true);
  // WAVE_FORMAT_EXTENSIBLE keeps the real tag in the first two bytes of its GUID.
  const formatTag = tag === extensibleTag && size >= 40 ? view.getUint16(body + 24, true) : tag;
  const channels = view.getUint16(body + 2, true);
  const rateHz = view.getUint32(body + 4, true);
  const bits = view.getUint16(body + 14, true);
  const encoding = encodings.get(`${formatTag}/${bits}`);
  if (!encoding) throw invalid(`format ${formatTag} with ${bits} bits is not supported`, body);
  if (channels < 1 || channels > maxChannels) throw invalid(`${channels} channels`, body + 2);
  if (rateHz < 1 || rateHz > maxRateHz) throw invalid(`sample rate ${rateHz}`, body + 4);
  return { encoding, rateHz, channels, frameBytes: (channels * bits) / 8 };
}

/** Little-endian 16-bit samples as numbers; works at any alignment. */
export function pcm16Samples(data: Uint8Array): Int16Array {
  const samples = new Int16Array(data.length >> 1);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  for (let k = 0; k < samples.length; k += 1) samples[k] = view.getInt16(k * 2, true);
  return samples;
}

function tagAt(bytes: Uint8Array, offset: number): string {
  return String.fromCharCode(...bytes.subarray(offset, offset + 4));
}

function invalid(message: string, offset: number): CallreelError {
  return new CallreelError('AUDIO_INVALID', message, { where: `byte ${offset}` });
}
