import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { sleep, systemClock } from '../../src/clock.ts';
import { readCorpus } from './corpus.ts';
import type { FileCoverage } from './coverage.ts';
import type { Finding } from './engine.ts';
import { watchOn } from './watch.ts';

export interface CampaignOptions {
  target: string;
  /** Of a target that is not in the list. */
  module?: string;
  seed: number;
  /** How long, or else how many inputs besides those of the corpus. */
  seconds?: number;
  executions?: number;
  /** Give back the few inputs that a corpus needs. */
  distils?: boolean;
  /** After so long in one input the thread is given up. */
  hangSeconds?: number;
}

export interface CampaignReport {
  target: string;
  executions: number;
  seconds: number;
  findings: Finding[];
  coverage: FileCoverage[];
  /** Places never passed. */
  missed: string[];
  slowest: { cpuMs: number; bytes: number };
  /** Inputs kept because they passed somewhere new. */
  kept: number;
  /** Bytes alive at the end more than after a quarter of the run. */
  grown: number;
  distilled: Uint8Array[];
}

/** No input is anywhere near that: the thread is caught in one. */
const usualHangSeconds = 30;
const lookMs = 1000;
const maxInputBytes = 256 * 1024;

/** Runs one target in a thread of its own, which is given up where it hangs. */
export async function runCampaign(options: CampaignOptions): Promise<CampaignReport> {
  // The thread measures what is alive after a collection.
  setFlagsFromString('--expose-gc');
  const shared = new SharedArrayBuffer(8 + maxInputBytes);
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    workerData: { options, inputs: readCorpus(options.target), shared },
  });
  const ended = new Promise<CampaignReport>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  const stop = { asked: false };
  const hung = watchFor(shared, options, stop);
  try {
    return await Promise.race([ended, hung]);
  } finally {
    stop.asked = true;
    await worker.terminate();
  }
}

async function watchFor(
  shared: SharedArrayBuffer,
  { target, hangSeconds = usualHangSeconds }: CampaignOptions,
  stop: { asked: boolean },
): Promise<CampaignReport> {
  const { count, length, bytes } = watchOn(shared);
  let seen = -1;
  let sinceUs = systemClock.monotonicUs();
  while (!stop.asked) {
    await sleep(systemClock, lookMs);
    const now = Atomics.load(count, 0);
    if (now !== seen) {
      seen = now;
      sinceUs = systemClock.monotonicUs();
    }
    if (systemClock.monotonicUs() - sinceUs > hangSeconds * 1e6) break;
  }
  const input = bytes.slice(0, length[0]);
  const finding: Finding = { kind: 'hang', message: `no end after ${hangSeconds} s`, input };
  return {
    ...{ target, executions: Math.max(seen, 0), seconds: 0, findings: [finding], coverage: [], missed: [] },
    ...{ slowest: { cpuMs: hangSeconds * 1000, bytes: input.length }, kept: 0, grown: 0, distilled: [] },
  };
}
