const maxBytes = 1 << 20;

/** `12:hello world!,` (D. J. Bernstein's netstrings): how baresip's control port frames its JSON. */
export function writeNetstring(text: string): string {
  return `${Buffer.byteLength(text)}:${text},`;
}

/** Cuts a byte stream into netstrings. */
export class NetstringReader {
  #buffered = Buffer.alloc(0);

  /** @throws Error for anything that is no netstring */
  push(bytes: Buffer): string[] {
    this.#buffered = Buffer.concat([this.#buffered, bytes]);
    const texts: string[] = [];
    for (;;) {
      const colon = this.#buffered.indexOf(':');
      if (colon < 0) return texts;
      const size = Number(this.#buffered.subarray(0, colon).toString());
      if (!Number.isInteger(size) || size > maxBytes)
        throw new Error(`not a netstring: ${this.#buffered.subarray(0, 40)}`);
      const end = colon + 1 + size;
      if (this.#buffered.length <= end) return texts;
      texts.push(this.#buffered.subarray(colon + 1, end).toString());
      this.#buffered = this.#buffered.subarray(end + 1);
    }
  }
}
