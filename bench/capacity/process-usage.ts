import { readdirSync, readFileSync } from 'node:fs';

/** CPU seconds by process; threads by name where they were asked for. */
export type CpuSeconds = Map<number, number>;

/** The process and all below it, itself first. */
export function processTree(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const parent = parentOf(Number(name));
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const tree = [root];
  for (const pid of tree) tree.push(...(children.get(pid) ?? []));
  return tree;
}

export function cpuSeconds(pids: readonly number[]): CpuSeconds {
  return new Map(pids.flatMap((pid) => attempt(() => [pid, cpuSecondsOf(`/proc/${pid}/stat`)] as const)));
}

/** Those that began meanwhile count whole; those that ended are not known any more. */
export function cpuSecondsSince(before: CpuSeconds, pids: readonly number[]): number {
  let sum = 0;
  for (const [pid, seconds] of cpuSeconds(pids)) sum += seconds - (before.get(pid) ?? 0);
  return sum;
}

/** CPU seconds of a process by the names of its threads. */
export function threadSeconds(pid: number): Map<string, number> {
  const seconds = new Map<string, number>();
  for (const thread of attempt(() => readdirSync(`/proc/${pid}/task`)).flat()) {
    const path = `/proc/${pid}/task/${thread}`;
    for (const [name, used] of attempt(
      () => [readFileSync(`${path}/comm`, 'utf8').trim(), cpuSecondsOf(`${path}/stat`)] as const,
    ))
      seconds.set(name, (seconds.get(name) ?? 0) + used);
  }
  return seconds;
}

/** Proportional set size in MB: memory shared with others counts in parts. */
export function pssMB(pids: readonly number[]): number {
  let kilobytes = 0;
  for (const pid of pids)
    for (const rollup of attempt(() => readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1')))
      kilobytes += Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1] ?? 0);
  return kilobytes / 1024;
}

function parentOf(pid: number): number | undefined {
  return attempt(() => {
    return Number(afterName(readFileSync(`/proc/${pid}/stat`, 'latin1'))[4 - firstField]);
  })[0];
}

/** Nothing where the process ended meanwhile. */
function attempt<Value>(read: () => Value): Value[] {
  try {
    return [read()];
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH') return [];
    throw error;
  }
}

/** CPU seconds that a process, or a thread, has used: fields 14 and 15 of its `stat` (proc(5)). */
export function cpuSecondsOf(statPath: string): number {
  const fields = afterName(readFileSync(statPath, 'latin1'));
  return (Number(fields[14 - firstField]) + Number(fields[15 - firstField])) / ticksPerSecond;
}

function afterName(stat: string): string[] {
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** The one behind the name. */
const firstField = 3;
/** USER_HZ, on every architecture that we run on. */
const ticksPerSecond = 100;
