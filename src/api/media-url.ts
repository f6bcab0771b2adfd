import type { AudioFileFormat } from '../container/audio-file.ts';

/**
 * Makes the signed URL of one file of a recording; without a track, the mix. The mix begins with the recording, or
 * with the conversation and is silent until it was recorded.
 */
export type MediaUrl = (
  recordingId: string,
  trackId: string | undefined,
  format: AudioFileFormat,
  mixBegins?: 'recording' | 'conversation',
) => string;
