/** Reads an input as a row of numbers and byte strings, for what takes no bytes itself. Behind the end come zeros. */
export class InputReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  uint8(): number {
    return this.#bytes[this.#at++] ?? 0;
  }

  uint16(): number {
    return this.uint8() * 256 + this.uint8();
  }

  uint32(): number {
    return this.uint16() * 65_536 + this.uint16();
  }

  /** A view. */
  take(bytes: number): Uint8Array {
    const from = this.#at;
    this.#at = Math.min(from + bytes, this.#bytes.length);
    return this.#bytes.subarray(Math.min(from, this.#bytes.length), this.#at);
  }
}
