import { constants, setPriority } from 'node:os';
import { parentPort, type Transferable } from 'node:worker_threads';
import { asCallreelError } from '../errors.ts';
import type { JobReply } from './job-threads.ts';

/** A result and the buffers that move with it instead of being copied. */
export interface JobDone<Result> {
  result: Result;
  transfer: Transferable[];
}

/** Makes the running thread one of `JobThreads`. On Linux the priority is the thread's own. */
export function serveJobs<Job, Result>(work: (job: Job) => Promise<JobDone<Result>>): void {
  setPriority(constants.priority.PRIORITY_LOW);
  parentPort?.on('message', (job: Job) => {
    work(job)
      .then(
        ({ result, transfer }): [JobReply<Result>, Transferable[]] => [{ result }, transfer],
        (error: unknown): [JobReply<Result>, Transferable[]] => [
          { error: asCallreelError(error, String(error)).toJSON() },
          [],
        ],
      )
      .then(([reply, transfer]) => parentPort?.postMessage(reply, transfer));
  });
}
