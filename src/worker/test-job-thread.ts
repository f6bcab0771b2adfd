import { CallreelError } from '../errors.ts';
import { serveJobs } from './job-thread.ts';

/** For `job-threads.test.ts` only. */
export type TestJob =
  | { verb: 'reverse'; bytes: Uint8Array<ArrayBuffer> }
  | { verb: 'refuse' }
  | { verb: 'throw' }
  | { verb: 'loop' }
  | { verb: 'exit' };

serveJobs<TestJob, Uint8Array>(async (job) => {
  switch (job.verb) {
    case 'reverse':
      return { result: job.bytes.reverse(), transfer: [job.bytes.buffer] };
    case 'refuse':
      throw new CallreelError('AUDIO_INVALID', 'refused', { where: 'byte 7' });
    case 'throw':
      throw new TypeError('a fault');
    case 'loop':
      for (;;) console.error('still here');
    case 'exit':
      return process.exit(3);
  }
});
