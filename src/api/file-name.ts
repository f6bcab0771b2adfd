import type { AudioFileFormat } from '../container/audio-file.ts';
import type { Recording } from '../database/schema.ts';

/**
 * What a client calls a file of a recording: `20260914T083000Z-<recording id>-stereo.mp4`.
 * Letters, digits, `-` and a dot: nothing in it comes from who calls.
 * @param content what of the recording is in it: `mono`, say, or the id of a channel
 */
export function fileNameOf(
  { recordingId, startedAt }: Pick<Recording, 'recordingId' | 'startedAt'>,
  content: string,
  format: AudioFileFormat,
): string {
  const began = startedAt.toISOString().slice(0, 19).replaceAll(/[-:]/g, '');
  return `${began}Z-${recordingId}-${content}.${format}`;
}
