import { serveJobs } from '../worker/job-thread.ts';
import { type FliteJob, flite } from './flite.ts';

/** Speaks for `flite-engine`. */
serveJobs<FliteJob, Int16Array>(async (job) => {
  const samples = await flite(job);
  return { result: samples, transfer: [samples.buffer] };
});
