import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';

export interface TarMember {
  /** As the archive names it. */
  name: string;
  bytes: number;
}

export interface TarVisitor {
  /** Takes the contents of a member that is wanted, part by part; undefined for one that is not. */
  open(member: TarMember): ((part: Uint8Array) => Promise<void>) | undefined;
}

const blockBytes = 512;

/**
 * Reads the plain files of a gzipped tar archive (ustar, as npm packs) from beginning to end, with little memory.
 * @throws Error when it is damaged
 */
export async function readTarball(file: string, visitor: TarVisitor): Promise<void> {
  const unpacked = createGunzip();
  const reading = pipeline(createReadStream(file), unpacked, async (parts: AsyncIterable<Uint8Array>) => {
    const parser = new TarParser(visitor);
    for await (const part of parts) await parser.push(part);
    parser.end();
  });
  await reading;
}

class TarParser {
  readonly #visitor: TarVisitor;
  readonly #header = Buffer.alloc(blockBytes);
  #headerFilled = 0;
  /** Of the member that is read: contents left, and padding behind them. */
  #left = 0;
  #padding = 0;
  #take: ((part: Uint8Array) => Promise<void>) | undefined;

  constructor(visitor: TarVisitor) {
    this.#visitor = visitor;
  }

  async push(part: Uint8Array): Promise<void> {
    for (let read = 0; read < part.length; ) {
      const rest = part.subarray(read);
      if (this.#left > 0) read += await this.#contents(rest);
      else if (this.#padding > 0) read += this.#skip(rest);
      else read += this.#fillHeader(rest);
    }
  }

  end(): void {
    if (this.#left > 0 || this.#headerFilled > 0) throw new Error('the archive ends too early');
  }

  async #contents(rest: Uint8Array): Promise<number> {
    const part = rest.subarray(0, this.#left);
    await this.#take?.(part);
    this.#left -= part.length;
    return part.length;
  }

  #skip(rest: Uint8Array): number {
    const skipped = Math.min(rest.length, this.#padding);
    this.#padding -= skipped;
    return skipped;
  }

  #fillHeader(rest: Uint8Array): number {
    const part = rest.subarray(0, blockBytes - this.#headerFilled);
    this.#header.set(part, this.#headerFilled);
    this.#headerFilled += part.length;
    if (this.#headerFilled === blockBytes) this.#openMember();
    return part.length;
  }

  #openMember(): void {
    this.#headerFilled = 0;
    // Two empty blocks end the archive.
    if (this.#header[0] === 0) return;
    const text = (from: number, length: number) =>
      this.#header.toString('utf8', from, from + length).replace(/\0.*$/s, '');
    const bytes = Number.parseInt(text(124, 12), 8);
    if (!Number.isSafeInteger(bytes) || text(257, 5) !== 'ustar') throw new Error('it is no tar archive');
    const prefix = text(345, 155);
    const name = prefix ? `${prefix}/${text(0, 100)}` : text(0, 100);
    const isPlain = this.#header[156] === 0x30 || this.#header[156] === 0;
    this.#left = bytes;
    this.#padding = (blockBytes - (bytes % blockBytes)) % blockBytes;
    this.#take = isPlain ? this.#visitor.open({ name, bytes }) : undefined;
  }
}
