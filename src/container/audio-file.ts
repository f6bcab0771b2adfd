import { CallreelError } from '../errors.ts';
import { defaultAacBitRateKbps } from './aac.ts';
import { defaultMp3BitRateKbps, mp3Bytes } from './mp3-frame.ts';
import { Mp3Writer } from './mp3-writer.ts';
import { mp4Bytes } from './mp4.ts';
import { Mp4Writer } from './mp4-writer.ts';
import { wavHeaderBytes } from './wav.ts';
import { WavWriter } from './wav-writer.ts';
import type { AudioFileWriter } from './writer.ts';

export const audioFileFormats = ['wav', 'mp3', 'mp4'] as const;
export type AudioFileFormat = (typeof audioFileFormats)[number];
export type AudioFileRateHz = 8000 | 16_000 | 48_000;

export interface AudioFileShape {
  format: AudioFileFormat;
  rateHz: AudioFileRateHz;
  /** Two are left and right, never joint: nothing of one is heard in the other. */
  channels: 1 | 2;
}

/** Exact length of the file of so many samples of each channel, made in one go. */
export function audioFileBytes({ format, rateHz, channels }: AudioFileShape, samples: number): number {
  if (format === 'wav') return wavHeaderBytes + samples * channels * 2;
  if (format === 'mp3')
    return mp3Bytes({ rateHz, channels, bitRateKbps: defaultMp3BitRateKbps(channels), samples });
  return mp4Bytes({ rateHz, channels, bitRateKbps: defaultAacBitRateKbps(rateHz, channels), samples });
}

const rates: readonly number[] = [8000, 16_000, 48_000];

/**
 * @param lends parts may be what was given to be written: they are valid until that is changed
 * @throws CallreelError REQUEST_INVALID for a shape that the formats do not share
 */
export function openAudioFile(
  { format, rateHz, channels }: AudioFileShape,
  { lends = false }: { lends?: boolean } = {},
): AudioFileWriter {
  if (!rates.includes(rateHz)) throw refusal(`a file of ${rateHz} Hz`, 'rateHz');
  if (channels !== 1 && channels !== 2) throw refusal(`a file of ${channels} channels`, 'channels');
  switch (format) {
    case 'wav':
      return new WavWriter({ rateHz, channels, lends });
    case 'mp3':
      return new Mp3Writer({ rateHz, channels, bitRateKbps: defaultMp3BitRateKbps(channels) });
    case 'mp4':
      return new Mp4Writer({ rateHz, channels });
    default:
      throw refusal(`a file of the format ${format}`, 'format');
  }
}

function refusal(what: string, where: string): CallreelError {
  return new CallreelError('REQUEST_INVALID', `${what} is not supported`, { where });
}
