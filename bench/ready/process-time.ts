import { readdirSync, readFileSync } from 'node:fs';

export interface ProcessTime {
  /** On a processor, all threads of the process and of all that it started. */
  cpuMs: number;
  /** In which its main thread could have run and had to wait for a processor. */
  waitedMs: number;
}

/** Since its start, by the scheduler of Linux. */
export function processTime(pid: number): ProcessTime {
  const tree = descendants(pid);
  const cpuNs = tree.flatMap(threadsOf).reduce((sum, [cpu]) => sum + cpu, 0);
  const [, waitedNs] = scheduled(`/proc/${pid}/task/${pid}`);
  return { cpuMs: cpuNs / 1e6, waitedMs: waitedNs / 1e6 };
}

function descendants(pid: number): number[] {
  const parents = new Map(
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map((name) => [Number(name), parentOf(Number(name))]),
  );
  const isOfTree = (each: number): boolean => each === pid || (each > 1 && isOfTree(parents.get(each) ?? 0));
  return [...parents.keys()].filter(isOfTree);
}

function parentOf(pid: number): number {
  return Number(readOf(`/proc/${pid}/stat`).split(') ')[1]?.split(' ')[1] ?? 0);
}

function threadsOf(pid: number): [cpuNs: number, waitedNs: number][] {
  try {
    return readdirSync(`/proc/${pid}/task`).map((thread) => scheduled(`/proc/${pid}/task/${thread}`));
  } catch {
    // It has ended.
    return [];
  }
}

function scheduled(path: string): [cpuNs: number, waitedNs: number] {
  const [cpuNs, waitedNs] = readOf(`${path}/schedstat`).split(' ').map(Number);
  return [cpuNs ?? 0, waitedNs ?? 0];
}

/** Nothing of what is gone. */
function readOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
