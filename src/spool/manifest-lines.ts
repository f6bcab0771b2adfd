import type { FileContent } from './target-files.ts';

/** The lines of one manifest that are accepted and not in its file. */
export class ManifestLines implements FileContent {
  #waiting: Buffer[] = [];

  add(bytes: Buffer): void {
    this.#waiting.push(bytes);
  }

  take(): Buffer {
    const bytes = this.#waiting.length === 1 ? this.#waiting[0]! : Buffer.concat(this.#waiting);
    this.#waiting = [];
    return bytes;
  }

  drop(): void {
    this.#waiting = [];
  }
}
