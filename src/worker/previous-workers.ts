import { readdirSync, readFileSync } from 'node:fs';
import { type Clock, sleep } from '../clock.ts';
import { parseWorkerSettings } from './worker-settings.ts';

/** A worker whose server died syncs its disk and ends; a disk that stalls longer is not waited for. */
const patienceMs = 15_000;
const pollMs = 25;

/** Process ids of media workers that still write to this spool: a server that was killed leaves them behind. */
export function findWorkers(spoolDir: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid && isWorkerOf(pid, spoolDir));
}

/**
 * Waits until they have ended, so that one process at a time writes to the spool; kills what does not end.
 * @returns how many there were
 */
export async function endPreviousWorkers(spoolDir: string, clock: Clock): Promise<number> {
  const found = findWorkers(spoolDir).length;
  const deadlineUs = clock.monotonicUs() + patienceMs * 1000;
  for (let pids = findWorkers(spoolDir); pids.length > 0; pids = findWorkers(spoolDir)) {
    if (clock.monotonicUs() > deadlineUs) for (const pid of pids) kill(pid);
    await sleep(clock, pollMs);
  }
  return found;
}

function isWorkerOf(pid: number, spoolDir: string): boolean {
  let parts: string[];
  try {
    parts = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    // It ended, or belongs to somebody else.
    return false;
  }
  const script = parts.findIndex((part) => /\/worker-process\.[jt]s$/.test(part));
  if (script < 0) return false;
  try {
    return parseWorkerSettings(parts[script + 1]).spoolDir === spoolDir;
  } catch {
    return false;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
