import type { Clock } from './clock.ts';
import { openByFfi } from './node-ffi.ts';

const everyMs = 10_000;

/**
 * Gives the system back what was freed. glibc keeps the pages of freed blocks for the next ones, all that lie between
 * blocks in use: of a process whose threads compile, seal and unseal that is more than half of what it allocated. Some
 * milliseconds each time. Where there is no `malloc_trim` (musl, other systems) or no `node:ffi`, nothing is done.
 */
export function returnFreedMemory(clock: Clock): void {
  const trim = openTrim();
  if (!trim) return;
  const again = (): void => {
    trim();
    clock.after(everyMs, again);
  };
  clock.after(everyMs, again);
}

/** @returns undefined where there is none */
export function openTrim(): (() => boolean) | undefined {
  if (process.platform !== 'linux') return undefined;
  return openByFfi((ffi) => {
    const trim = ffi.dlopen(null, { malloc_trim: { arguments: ['uint64'], return: 'int32' } }).functions;
    return () => trim.malloc_trim(0n) === 1;
  });
}
