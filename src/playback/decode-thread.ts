import { CallreelError } from '../errors.ts';
import { serveJobs } from '../worker/job-thread.ts';
import { type DecodeJob, decodeAudio } from './decode-audio.ts';

/** Decodes for `audio-decoder`. */
serveJobs<DecodeJob, Int16Array>(async (job) => {
  const samples = await decodeAudio(job).catch((error: unknown) => {
    if (error instanceof CallreelError) throw error;
    throw new CallreelError('AUDIO_INVALID', `the audio cannot be decoded: ${error}`, { cause: error });
  });
  return { result: samples, transfer: [samples.buffer] };
});
