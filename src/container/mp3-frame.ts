import { CallreelError } from '../errors.ts';

/** Everything that decides the length of a constant bit rate MP3 file. */
export interface Mp3Shape {
  rateHz: Mp3RateHz;
  /** Of all channels together. */
  bitRateKbps: Mp3BitRate;
  /** 1 unless given; two are left and right, never joint. */
  channels?: 1 | 2;
  /** Samples of audio in each channel. */
  samples: number;
}

/** Of a file that grows: nobody knows yet how long it will be. */
export type OpenMp3Shape = Omit<Mp3Shape, 'samples'> & { samples?: undefined };

export type Mp3RateHz = 8000 | 16_000 | 48_000;
export type Mp3BitRate = 8 | 16 | 24 | 32 | 40 | 48 | 64 | 80 | 96 | 128;

export function defaultMp3BitRateKbps(channels: 1 | 2): Mp3BitRate {
  return channels === 2 ? 64 : 32;
}

/** Samples the encoder puts before the audio, and those any decoder adds (LAME technical FAQ, Info tag). */
const encoderDelay = 576;
const decoderDelay = 529;
const infoBytes = 16;
const lameBytes = 36;

interface FrameFormat {
  samplesPerFrame: number;
  /** Second byte of the frame header: sync, version, layer III, no CRC. */
  versionByte: number;
  /** Bit rates in kbit/s by index. */
  bitRates: readonly number[];
  rateIndex: number;
  /** Of mono and of stereo. */
  sideInfoBytes: readonly [number, number];
}

const mpeg2BitRates = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128];
const mpeg2 = {
  samplesPerFrame: 576,
  bitRates: mpeg2BitRates,
  rateIndex: 2,
  sideInfoBytes: [9, 17],
} as const;

/** MPEG-2.5 (which ends at 64 kbit/s), MPEG-2 and MPEG-1 (ISO/IEC 11172-3 2.4.2.3). At these rates no frame is padded. */
const formats: Readonly<Record<Mp3RateHz, FrameFormat>> = {
  8000: { ...mpeg2, bitRates: mpeg2BitRates.slice(0, 9), versionByte: 0xe3 },
  16000: { ...mpeg2, versionByte: 0xf3 },
  48000: {
    samplesPerFrame: 1152,
    versionByte: 0xfb,
    bitRates: [0, 32, 40, 48, 56, 64, 80, 96, 112, 128],
    rateIndex: 1,
    sideInfoBytes: [17, 32],
  },
};

/** What LAME passes through before the first and after the last sample, in whole frames. */
function framesOf({ samplesPerFrame }: FrameFormat, samples: number): number {
  return Math.ceil(samples / samplesPerFrame) + (samplesPerFrame === 576 ? 2 : 1);
}

function sideInfoBytes(format: FrameFormat, shape: Mp3Shape | OpenMp3Shape): number {
  return format.sideInfoBytes[shape.channels === 2 ? 1 : 0];
}

function frameBytes(format: FrameFormat, { rateHz, bitRateKbps }: Mp3Shape | OpenMp3Shape): number {
  return ((format.samplesPerFrame / 8) * bitRateKbps * 1000) / rateHz;
}

/** The Info frame needs room for its fields; only the lowest bit rates are too narrow. */
function formatOf(shape: Mp3Shape | OpenMp3Shape): FrameFormat {
  const format = formats[shape.rateHz];
  const fits =
    format?.bitRates.includes(shape.bitRateKbps) &&
    frameBytes(format, shape) >= 4 + sideInfoBytes(format, shape) + infoBytes + lameBytes;
  if (format && fits) return format;
  const what = `MP3 at ${shape.rateHz} Hz with ${shape.bitRateKbps} kbit/s`;
  throw new CallreelError('REQUEST_INVALID', `${what} is not supported`, { where: 'bitRateKbps' });
}

/** @throws CallreelError REQUEST_INVALID */
export function mp3FrameShape(shape: Mp3Shape | OpenMp3Shape): {
  frameBytes: number;
  samplesPerFrame: number;
} {
  const format = formatOf(shape);
  return { frameBytes: frameBytes(format, shape), samplesPerFrame: format.samplesPerFrame };
}

/** Frames of audio, without the Info frame. @throws CallreelError REQUEST_INVALID */
export function mp3Frames(shape: Mp3Shape): number {
  return framesOf(formatOf(shape), shape.samples);
}

/** Exact length of the file. @throws CallreelError REQUEST_INVALID */
export function mp3Bytes(shape: Mp3Shape): number {
  return (mp3Frames(shape) + 1) * frameBytes(formatOf(shape), shape);
}

/**
 * A silent frame that carries the Info tag with LAME's extension: frames, bytes, and the samples to cut off.
 * @throws CallreelError REQUEST_INVALID
 */
export function mp3InfoFrame(shape: Mp3Shape): Uint8Array {
  const frames = mp3Frames(shape);
  const padding = frames * formatOf(shape).samplesPerFrame - encoderDelay - shape.samples;
  return infoFrame(shape, frames, padding);
}

/**
 * The same for a file that grows and has so many frames of audio: what a decoder needs to give out the last sample is
 * not there yet.
 */
export function openMp3InfoFrame(shape: OpenMp3Shape, frames: number): Uint8Array {
  return infoFrame(shape, frames, frames === 0 ? 0 : decoderDelay);
}

function infoFrame(shape: Mp3Shape | OpenMp3Shape, frames: number, padding: number): Uint8Array {
  const format = formatOf(shape);
  const bytes = frameBytes(format, shape);
  const frame = new Uint8Array(bytes);
  const view = new DataView(frame.buffer);
  frame[0] = 0xff;
  frame[1] = format.versionByte;
  frame[2] = (format.bitRates.indexOf(shape.bitRateKbps) << 4) | (format.rateIndex << 2);
  frame[3] = shape.channels === 2 ? 0x04 : 0xc4; // left and right, or mono; original

  const info = 4 + sideInfoBytes(format, shape);
  const fileBytes = bytes * (frames + 1);
  writeText(frame, info, 'Info');
  view.setUint32(info + 4, 0b11); // the fields that follow: frames, bytes
  view.setUint32(info + 8, frames);
  view.setUint32(info + 12, fileBytes);

  const lame = info + infoBytes;
  writeText(frame, lame, 'LAME3.100');
  frame[lame + 9] = 0x01; // tag revision 0, constant bit rate
  frame[lame + 20] = shape.bitRateKbps;
  frame[lame + 21] = encoderDelay >> 4;
  frame[lame + 22] = ((encoderDelay & 0xf) << 4) | (padding >> 8);
  frame[lame + 23] = padding & 0xff;
  view.setUint32(lame + 28, fileBytes);
  view.setUint16(lame + 34, crc16(frame.subarray(0, lame + 34)));
  return frame;
}

/** Where the first sample comes out of a decoder that does not know the Info tag. */
export const mp3DelaySamples = encoderDelay + decoderDelay;

function writeText(bytes: Uint8Array, offset: number, text: string): void {
  for (let k = 0; k < text.length; k += 1) bytes[offset + k] = text.charCodeAt(k);
}

/** CRC-16/ARC, as the LAME tag has it. */
function crc16(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xa001 : crc >>> 1;
  }
  return crc;
}
