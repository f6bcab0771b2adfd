import { openByFfi } from '../node-ffi.ts';

const writeFlag = 2;

/**
 * Has the kernel begin to write what it holds of a file, and returns at once: sync_file_range(2). Of many files that
 * are synced one after the other each waits for a commit of its own otherwise, as each gets its place on the disk then.
 * No sync stands or falls with it: errors are for who syncs.
 * @returns undefined where there is none
 */
export function openStartWriteback(): ((fd: number) => void) | undefined {
  if (process.platform !== 'linux') return undefined;
  return openByFfi((ffi) => {
    const signature = { arguments: ['int32', 'int64', 'int64', 'uint32'], return: 'int32' } as const;
    const { functions } = ffi.dlopen(null, { sync_file_range: signature });
    return (fd: number) => void functions.sync_file_range(fd, 0n, 0n, writeFlag);
  });
}
