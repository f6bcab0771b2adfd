import type { AudioFileFormat } from '../container/audio-file.ts';

/**
 * Makes the signed URL of one file of a recording; without a track, the mix. The mix begins with the recording, in one
 * channel or in `stereo`, or with the conversation and is silent until it was recorded. `file` is the file that the
 * recording was started for: 202 before it is whole, then what was asked for then.
 */
export type MediaUrl = (
  recordingId: string,
  trackId: string | undefined,
  format: AudioFileFormat,
  mix?: 'recording' | 'stereo' | 'conversation' | 'file',
) => string;
