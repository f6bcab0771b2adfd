import { realpath } from 'node:fs/promises';
import { dirname, relative, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { CallreelError } from '../../errors.ts';
import type { Destination, StoredObject, Upload } from './destination.ts';
import {
  asDestination,
  beginPartialFile,
  dropPartialFile,
  finishPartialFile,
  onPartialFile,
  type PartialFile,
  putWholeFile,
  writePartialFile,
} from './partial-file.ts';

const mebibyte = 1024 * 1024;
/** As the files of `recording.files`: whoever may read the directory may read them. */
const fileMode = 0o644;

/** Files on a disk of this machine, in the directories that the operator allows. Keys are absolute paths. */
export class FileDestination implements Destination {
  readonly partBytes = 8 * mebibyte;
  readonly maxParts = 1_000_000;
  readonly #directories: readonly string[];

  /** @param directories what `file://` may lead into */
  constructor(directories: readonly string[]) {
    this.#directories = directories;
  }

  urlOf(key: string): string {
    return pathToFileURL(key).href;
  }

  async put({ key }: StoredObject, content: Uint8Array, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await asDestination(this.urlOf(key), async () => {
      await this.#check(key);
      await putWholeFile(key, fileMode, content);
    });
  }

  async beginUpload({ key }: StoredObject, signal: AbortSignal): Promise<string> {
    signal.throwIfAborted();
    return await asDestination(this.urlOf(key), async () => {
      await this.#check(key);
      return (await beginPartialFile(key, fileMode)).id;
    });
  }

  async putPart(
    upload: Upload,
    partNumber: number,
    content: Uint8Array,
    signal: AbortSignal,
  ): Promise<string> {
    await this.#onPartial(upload, signal, (partial) =>
      writePartialFile(partial, content, (partNumber - 1) * this.partBytes),
    );
    return String(content.length);
  }

  async completeUpload(upload: Upload, _receipts: readonly string[], signal: AbortSignal): Promise<void> {
    await this.#onPartial(upload, signal, finishPartialFile);
  }

  async abortUpload(upload: Upload, signal: AbortSignal): Promise<void> {
    await this.#onPartial(upload, signal, dropPartialFile);
  }

  close(): void {}

  async #onPartial(
    { key, uploadId }: Upload,
    signal: AbortSignal,
    step: (partial: PartialFile) => Promise<void>,
  ): Promise<void> {
    signal.throwIfAborted();
    await onPartialFile(this.urlOf(key), async () => {
      await this.#check(key);
      await step({ target: key, id: uploadId });
    });
  }

  /** Links are followed first: none may lead out of the directories. */
  async #check(path: string): Promise<void> {
    const folder = await existingFolder(dirname(resolve(path)));
    for (const directory of this.#directories) {
      const root = await realpath(directory).catch(() => undefined);
      if (root !== undefined && isWithin(folder, root) && isWithin(resolve(path), resolve(directory))) return;
    }
    throw new CallreelError(
      'DESTINATION_FORBIDDEN',
      `${this.urlOf(path)} is in no directory that is allowed`,
      {
        where: 'destinationUrl',
      },
    );
  }
}

/** The nearest folder above that is there, by its real name. */
async function existingFolder(path: string): Promise<string> {
  for (let folder = path; ; folder = dirname(folder)) {
    try {
      return await realpath(folder);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || folder === dirname(folder)) throw error;
    }
  }
}

function isWithin(path: string, directory: string): boolean {
  const way = relative(directory, path);
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`));
}
