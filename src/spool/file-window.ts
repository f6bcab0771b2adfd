import { fstatSync, readSync } from 'node:fs';

const readAheadBytes = 256 * 1024;
/** Of the thread: as a rule one file is read at a time, and a buffer for each reading would be most of its garbage. */
let spare: Buffer | undefined;

/** A sliding view of a file as long as it is now, or of its beginning. To be closed, the file is not. */
export class FileWindow {
  readonly #fd: number;
  /** Of the whole file. */
  readonly fileBytes: number;
  readonly #size: number;
  #position: number;
  #buffer: Buffer | undefined = takeBuffer();
  #from = 0;
  #to = 0;

  /** @param toBytes what lies behind is not there */
  constructor(fd: number, position: number, toBytes = Number.POSITIVE_INFINITY) {
    this.#fd = fd;
    this.fileBytes = fstatSync(fd).size;
    this.#size = Math.min(this.fileBytes, toBytes);
    this.#position = position;
  }

  /** Behind what was passed over. */
  get restBytes(): number {
    return this.#size - this.#position;
  }

  /** @returns valid until the next call; undefined when the file ends before */
  peek(bytes: number): Buffer | undefined {
    if (this.#to - this.#from < bytes && (this.restBytes < bytes || !this.#fill(bytes))) return undefined;
    return this.#buffer?.subarray(this.#from, this.#from + bytes);
  }

  advance(bytes: number): void {
    this.#from = Math.min(this.#to, this.#from + bytes);
    this.#position += bytes;
  }

  isZeroToEnd(): boolean {
    const probe = new FileWindow(this.#fd, this.#position, this.#size);
    try {
      for (;;) {
        const part = probe.peek(Math.min(readAheadBytes, probe.restBytes));
        if (!part || part.length === 0) return true;
        if (!isZero(part)) return false;
        probe.advance(part.length);
      }
    } finally {
      probe.close();
    }
  }

  close(): void {
    if (this.#buffer?.length === readAheadBytes) spare = this.#buffer;
    this.#buffer = undefined;
  }

  /** A file that is read while it grows has little that is new, and its end is looked at as often as that. */
  #fill(bytes: number): boolean {
    let buffer = this.#buffer ?? takeBuffer();
    const left = this.#to - this.#from;
    if (buffer.length < bytes) {
      const larger = Buffer.allocUnsafeSlow(bytes);
      buffer.copy(larger, 0, this.#from, this.#to);
      buffer = larger;
    } else buffer.copyWithin(0, this.#from, this.#to);
    this.#buffer = buffer;
    this.#from = 0;
    this.#to = left;
    const wanted = Math.min(buffer.length, this.restBytes);
    while (this.#to < wanted) {
      const read = readSync(this.#fd, buffer, this.#to, wanted - this.#to, this.#position + this.#to);
      if (read === 0) break;
      this.#to += read;
    }
    return this.#to >= bytes;
  }
}

export function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

function takeBuffer(): Buffer {
  const taken = spare ?? Buffer.allocUnsafeSlow(readAheadBytes);
  spare = undefined;
  return taken;
}
