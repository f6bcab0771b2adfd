import { closeSync } from 'node:fs';
import { openFileLimit } from '../open-file-limit.ts';

const maxKept = 4096;
/** Of what the process may have open; its sockets are in it. */
const keptPart = 8;
/** Where nobody says how many that is. */
const fewestFiles = 1024;

export interface OpenedFile {
  /** While it stays open. */
  fd: number | undefined;
}

/** Files that stay open between two writes, as many as there is room for; the others are opened for each. */
export class KeptDescriptors<File extends OpenedFile> {
  readonly #files = new Set<File>();
  readonly #max: number;

  constructor(max = Math.min(maxKept, Math.floor((openFileLimit() ?? fewestFiles) / keptPart))) {
    this.#max = max;
  }

  get count(): number {
    return this.#files.size;
  }

  /** Closes it at once where there is no room for it. */
  keepOrClose(file: File, fd: number): void {
    if (file.fd === fd) return;
    if (this.#files.size >= this.#max) {
      closeSync(fd);
      return;
    }
    file.fd = fd;
    this.#files.add(file);
  }

  close(file: File): void {
    if (file.fd === undefined) return;
    const { fd } = file;
    file.fd = undefined;
    this.#files.delete(file);
    closeSync(fd);
  }

  closeAll(): void {
    for (const file of this.#files) this.close(file);
  }
}
