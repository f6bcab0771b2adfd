import { closeSync, fsyncSync, openSync, readdirSync, readSync } from 'node:fs';

export function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}

/** Names in a directory, sorted; none when it does not exist. */
export function listDirectory(path: string): string[] {
  try {
    return readdirSync(path).sort();
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** Makes the making or removing of files in it survive a power cut; nothing to do when it is gone. */
export function syncPath(path: string): void {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    if (isMissing(error)) return;
    throw error;
  }
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Reads from `position` on into all of `into`. @returns as much of it as the file had */
export function readInto(into: Buffer, fd: number, position: number): Buffer {
  let length = 0;
  while (length < into.length) {
    const more = readSync(fd, into, length, into.length - length, position + length);
    if (more === 0) break;
    length += more;
  }
  return into.subarray(0, length);
}
