/** Makes the signed URL of one file of a recording; without a track, the mix. */
export type MediaUrl = (recordingId: string, trackId: string | undefined, format: 'wav' | 'mp3') => string;
