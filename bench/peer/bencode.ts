/** What `ng`, rtpengine's control protocol, says and is told: dictionaries of texts, numbers and lists. */
export type Bencoded = string | number | Bencoded[] | { readonly [key: string]: Bencoded };

/** BitTorrent's encoding (BEP 3); texts as UTF-8. */
export function bencode(value: Bencoded): string {
  if (typeof value === 'string') return `${Buffer.byteLength(value)}:${value}`;
  if (typeof value === 'number') return `i${value}e`;
  if (Array.isArray(value)) return `l${value.map(bencode).join('')}e`;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `d${entries.map(([key, each]) => bencode(key) + bencode(each)).join('')}e`;
}

/** @throws Error for anything that is no bencoding */
export function bdecode(bytes: Buffer): Bencoded {
  const reader = new Reader(bytes);
  const value = reader.value();
  if (!reader.isAtEnd) throw new Error(`not a bencoding: ${bytes.subarray(0, 40)}`);
  return value;
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  value(): Bencoded {
    const kind = String.fromCharCode(this.#bytes[this.#at] ?? 0);
    if (kind === 'i') {
      this.#at++;
      return this.#number('e');
    }
    if (kind === 'l') return [...this.#items()];
    if (kind !== 'd') return this.#text();
    const items = [...this.#items()];
    const pairs = Array.from({ length: items.length >> 1 }, (_, i) => [items[2 * i], items[2 * i + 1]]);
    return Object.fromEntries(pairs);
  }

  *#items(): Generator<Bencoded> {
    this.#at++;
    while (this.#bytes[this.#at] !== 0x65) yield this.value();
    this.#at++;
  }

  #text(): string {
    const length = this.#number(':');
    const text = this.#bytes.subarray(this.#at, this.#at + length);
    if (length < 0 || text.length < length) throw new Error('a bencoding ends within a text');
    this.#at += length;
    return text.toString();
  }

  #number(end: string): number {
    const to = this.#bytes.indexOf(end, this.#at);
    const digits = this.#bytes.subarray(this.#at, to < 0 ? this.#at : to).toString();
    if (!/^-?\d+$/.test(digits)) throw new Error(`no number in a bencoding: ${digits.slice(0, 20)}`);
    this.#at = to + 1;
    return Number(digits);
  }
}
