import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** What a running server says about itself in `postmaster.pid`. */
export interface Postmaster {
  pid: number;
  socketDir: string;
  ready: boolean;
}

/**
 * The live server of a cluster, or undefined. A process id alone proves nothing (it may have been given to another
 * program since); a server also works inside its cluster's directory.
 */
export function findPostmaster(cluster: string): Postmaster | undefined {
  const lines = readPidFile(cluster);
  const pid = Number(lines?.[0]);
  if (!lines || !Number.isInteger(pid) || workingDirectory(pid) !== cluster) return undefined;
  return { pid, socketDir: lines[4] ?? '', ready: lines[7]?.trim() === 'ready' };
}

/** Every process of this cluster, also those a killed server left behind. */
export function clusterProcesses(cluster: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => workingDirectory(pid) === cluster);
}

/** Whether `postmaster.pid` names a live process that is not this cluster's server: PostgreSQL would refuse to start. */
export function pidFileMisleads(cluster: string): boolean {
  const pid = Number(readPidFile(cluster)?.[0]);
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return workingDirectory(pid) !== cluster;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** The arguments the running server was started with, program first. */
export function postmasterOptions(cluster: string): string {
  try {
    return readFileSync(join(cluster, 'postmaster.opts'), 'utf8').trim();
  } catch {
    return '';
  }
}

function readPidFile(cluster: string): string[] | undefined {
  try {
    return readFileSync(join(cluster, 'postmaster.pid'), 'utf8').split('\n');
  } catch {
    return undefined;
  }
}

/** A zombie has none. */
function workingDirectory(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return undefined;
  }
}
