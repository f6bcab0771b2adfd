import { existsSync, readFileSync } from 'node:fs';

/**
 * How many files and sockets this process may have open: the soft limit, as Linux lists it (proc_pid_limits(5)).
 * @returns Infinity where there is no limit, undefined where nobody says
 */
export function openFileLimit(limitsFile = '/proc/self/limits'): number | undefined {
  if (!existsSync(limitsFile)) return undefined;
  const limit = /^Max open files\s+(\S+)/m.exec(readFileSync(limitsFile, 'utf8'))?.[1];
  if (limit === undefined) return undefined;
  return limit === 'unlimited' ? Number.POSITIVE_INFINITY : Number(limit);
}
