/** Bytes and where in the file they go: behind its end, or in place of what is there. */
export interface FilePart {
  at: number;
  bytes: Uint8Array;
}

/**
 * One audio file that grows. Written in the order given, cut off at any part or in the middle of one that goes behind
 * the end, it is a file that plays: nothing in it announces audio that is not there. The parts are the caller's.
 */
export interface AudioFileWriter {
  /** Samples of each channel that went in. */
  readonly samples: number;
  /** Of the file with all parts so far; exact once it is finished. */
  readonly byteLength: number;
  /** @param samples interleaved; their memory may be used again */
  write(samples: Int16Array): FilePart[];
  /** Makes what went in playable, as far as the format can without ending. The first call gives the head. */
  refresh(): FilePart[];
  /** The last bytes and the exact length. Nothing may follow. */
  finish(): FilePart[];
}

/** Collects the parts of one call. */
export class FileParts {
  #parts: FilePart[] = [];
  #byteLength = 0;

  get byteLength(): number {
    return this.#byteLength;
  }

  append(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#parts.push({ at: this.#byteLength, bytes });
    this.#byteLength += bytes.length;
  }

  patch(bytes: Uint8Array, at: number): void {
    this.#parts.push({ at, bytes });
  }

  take(): FilePart[] {
    const parts = this.#parts;
    this.#parts = [];
    return parts;
  }
}
