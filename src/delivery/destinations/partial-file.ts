import { randomBytes } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CallreelError } from '../../errors.ts';
import { storageError } from './storage-error.ts';

const idPattern = /^[0-9a-f]{24}$/;
/** These pass when somebody makes room, or closes files. */
const passingCodes = new Set(['ENOSPC', 'EDQUOT', 'EMFILE', 'ENFILE', 'EIO', 'ESTALE', 'EBUSY']);

/**
 * A file that is being written beside its later place, under a name nobody asks for. It is its own state: another
 * process goes on with it by its id.
 */
export interface PartialFile {
  /** Where the whole file will be. */
  target: string;
  id: string;
}

/** Makes the folders of `target`, too. */
export async function beginPartialFile(target: string, mode: number): Promise<PartialFile> {
  const partial = { target, id: randomBytes(12).toString('hex') };
  await mkdir(dirname(target), { recursive: true });
  const handle = await open(pathOf(partial), 'wx', mode);
  await handle.close();
  return partial;
}

/** On the disk when it returns. */
export async function writePartialFile(
  partial: PartialFile,
  content: Uint8Array,
  position: number,
): Promise<void> {
  const handle = await open(pathOf(partial), 'r+');
  try {
    for (let at = 0; at < content.length; ) {
      const { bytesWritten } = await handle.write(content, at, content.length - at, position + at);
      at += bytesWritten;
    }
    await handle.datasync();
  } finally {
    await handle.close();
  }
}

/** Takes its place, whatever was there, and is on the disk under its name when this returns. */
export async function finishPartialFile(partial: PartialFile): Promise<void> {
  await rename(pathOf(partial), partial.target);
  const directory = await open(dirname(partial.target), 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

export async function dropPartialFile(partial: PartialFile): Promise<void> {
  await rm(pathOf(partial), { force: true });
}

/** A file in one go; what is at `target` stays until it is there, and for good when it fails. */
export async function putWholeFile(target: string, mode: number, content: Uint8Array): Promise<void> {
  const partial = await beginPartialFile(target, mode);
  try {
    await writePartialFile(partial, content, 0);
    await finishPartialFile(partial);
  } catch (error) {
    await dropPartialFile(partial);
    throw error;
  }
}

function pathOf({ target, id }: PartialFile): string {
  if (!idPattern.test(id)) throw lost(target);
  return join(dirname(target), `.callreel-${id}.partial`);
}

/**
 * Runs steps on files, and makes their errors those of a destination.
 * @param what users know the file by
 */
export async function asDestination<T>(what: string, steps: () => Promise<T>): Promise<T> {
  try {
    return await steps();
  } catch (error) {
    if (error instanceof CallreelError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    const name = code ?? 'failed';
    const text = (message ?? '').replace(/^\w+: /, '').replace(/, \w+ '.*$/s, '');
    throw storageError(what, { name, text, lasting: !passingCodes.has(name) }, []);
  }
}

/** As `asDestination`, for a file that an earlier call began. */
export async function onPartialFile<T>(what: string, steps: () => Promise<T>): Promise<T> {
  return await asDestination(what, async () => {
    try {
      return await steps();
    } catch (error) {
      throw (error as NodeJS.ErrnoException).code === 'ENOENT' ? lost(what) : error;
    }
  });
}

function lost(what: string): CallreelError {
  return new CallreelError('DESTINATION_UPLOAD_LOST', `${what}: the unfinished file is gone`, {
    where: what,
  });
}
