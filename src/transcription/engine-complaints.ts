import { closeSync, fstatSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * What an engine's process writes to its standard error goes to a file without a name, so that the process can read it
 * itself: the library says there that it could not do a thing, and gives an empty text as if nothing had been spoken.
 */
export class ComplaintFile {
  readonly fd: number;
  #open = true;

  constructor() {
    const folder = mkdtempSync(join(tmpdir(), 'callreel-engine-'));
    try {
      this.fd = openSync(join(folder, 'stderr'), 'a+', 0o600);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  /** The last that was written. */
  tail(): string {
    return this.#open ? readFrom(this.fd, Math.max(0, fstatSync(this.fd).size - shownBytes)) : '';
  }

  close(): void {
    if (this.#open) closeSync(this.fd);
    this.#open = false;
  }
}

/** Reads the process's own. */
export class ComplaintReader {
  readonly #fd: number;
  #read = 0;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** What was written since the last time and is a complaint; undefined for none. */
  next(): string | undefined {
    const { size } = fstatSync(this.#fd);
    if (size <= this.#read) return undefined;
    const said = readFrom(this.#fd, Math.max(this.#read, size - shownBytes));
    this.#read = size;
    return /exception|nullptr|error|fail/i.test(said) ? said : undefined;
  }
}

/** Whether an engine complains of too little memory, which may be another time's luck, or of its files. */
export function isAboutMemory(said: string): boolean {
  return /alloc|memory/i.test(said);
}

const shownBytes = 600;

function readFrom(fd: number, position: number): string {
  const bytes = Buffer.alloc(shownBytes);
  const read = readSync(fd, bytes, 0, shownBytes, position);
  return bytes.toString('utf8', 0, read).replaceAll(/\s+/g, ' ').trim();
}
