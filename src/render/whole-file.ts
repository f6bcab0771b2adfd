import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { CallreelError } from '../errors.ts';
import { syncPath } from '../spool/files.ts';
import { makeDirectory } from './file-follower.ts';
import type { Rendition } from './rendition.ts';

/** Beside the file while it is made. */
export const unfinishedSuffix = '.part';

/**
 * Makes the file of an ended recording, in place of whatever is there: at every moment the path is the one or the
 * other, whole. Returns when the disk has it.
 * @param isUnwanted asked between chunks
 * @returns false when it was given up
 * @throws CallreelError FILE_UNUSABLE, and what the rendition throws; nothing is left beside the file then
 */
export async function writeWholeFile(
  path: string,
  rendition: Rendition,
  isUnwanted: () => boolean = () => false,
): Promise<boolean> {
  if (!rendition.complete)
    throw new CallreelError('CONFLICT', 'the recording has not ended', { where: path });
  const unfinished = `${path}${unfinishedSuffix}`;
  makeDirectory(path);
  try {
    const wanted = await writeChunks(unfinished, rendition, isUnwanted);
    if (!wanted) {
      rmSync(unfinished, { force: true });
      return false;
    }
    renameSync(unfinished, path);
    syncPath(dirname(path));
    return true;
  } catch (cause) {
    rmSync(unfinished, { force: true });
    if (cause instanceof CallreelError) throw cause;
    const why = cause instanceof Error && 'code' in cause ? ` (${cause.code})` : '';
    throw new CallreelError('FILE_UNUSABLE', `cannot write the audio file${why}`, { where: path, cause });
  }
}

async function writeChunks(path: string, rendition: Rendition, isUnwanted: () => boolean): Promise<boolean> {
  rmSync(path, { force: true });
  const descriptor = openSync(path, 'wx', 0o600);
  try {
    for await (const chunk of rendition.read()) {
      if (isUnwanted()) return false;
      for (let done = 0; done < chunk.length; ) done += writeSync(descriptor, chunk, done);
    }
    fsyncSync(descriptor);
    return !isUnwanted();
  } finally {
    closeSync(descriptor);
  }
}
