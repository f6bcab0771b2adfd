import { createHash, createHmac } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CallreelError } from '../../errors.ts';
import { Secret } from '../../secret.ts';
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
import { chunkBytes, openChunks, plainLength, sealChunks, sealedChunkBytes } from './sealed-file.ts';

const mebibyte = 1024 * 1024;
const fileMode = 0o600;

/**
 * Our own store, `sdrive://`: sealed files in one directory, whose names on the disk say nothing. Which names there
 * are is in the database.
 */
export class OwnStore implements Destination {
  /** Whole chunks. */
  readonly partBytes = 8 * mebibyte;
  readonly maxParts = 1_000_000;
  readonly #directory: string;
  readonly #masterKey: Secret<Buffer>;

  constructor(directory: string, masterKey: Secret<Buffer>) {
    this.#directory = directory;
    this.#masterKey = masterKey;
  }

  urlOf(key: string): string {
    return `sdrive://${key}`;
  }

  async put({ key }: StoredObject, content: Uint8Array, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await asDestination(this.urlOf(key), async () => {
      await putWholeFile(this.#pathOf(key), fileMode, sealChunks(this.#keyOf(key), 0, content));
    });
  }

  async beginUpload({ key }: StoredObject, signal: AbortSignal): Promise<string> {
    signal.throwIfAborted();
    return await asDestination(
      this.urlOf(key),
      async () => (await beginPartialFile(this.#pathOf(key), fileMode)).id,
    );
  }

  async putPart(
    upload: Upload,
    partNumber: number,
    content: Uint8Array,
    signal: AbortSignal,
  ): Promise<string> {
    const firstChunk = ((partNumber - 1) * this.partBytes) / chunkBytes;
    const sealed = sealChunks(this.#keyOf(upload.key), firstChunk, content);
    await this.#onPartial(upload, signal, (partial) =>
      writePartialFile(partial, sealed, firstChunk * sealedChunkBytes),
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

  /** @returns undefined when there is no such file */
  async bytesOf(key: string): Promise<number | undefined> {
    return await this.#whileOpen(key, async (file) => plainLength((await file.stat()).size));
  }

  /**
   * The bytes [fromByte, toByte), or what there is of them.
   * @throws CallreelError NOT_FOUND, SPOOL_CORRUPT
   */
  async read(key: string, fromByte: number, toByte: number): Promise<Uint8Array> {
    const firstChunk = Math.floor(fromByte / chunkBytes);
    const chunks = Math.max(0, Math.ceil(toByte / chunkBytes) - firstChunk);
    const content = await this.#whileOpen(key, async (file) => {
      const sealed = Buffer.alloc(chunks * sealedChunkBytes);
      const { bytesRead } = await file.read(sealed, 0, sealed.length, firstChunk * sealedChunkBytes);
      return openChunks(this.#keyOf(key), firstChunk, sealed.subarray(0, bytesRead));
    });
    if (!content) throw new CallreelError('NOT_FOUND', 'no such file in the store', { where: key });
    const skipped = firstChunk * chunkBytes;
    return content.subarray(fromByte - skipped, Math.max(fromByte, toByte) - skipped);
  }

  /** @returns whether it was there */
  async remove(key: string): Promise<boolean> {
    try {
      await rm(this.#pathOf(key));
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw error;
    }
  }

  async #whileOpen<T>(
    key: string,
    use: (file: Awaited<ReturnType<typeof open>>) => Promise<T>,
  ): Promise<T | undefined> {
    let file: Awaited<ReturnType<typeof open>>;
    try {
      file = await open(this.#pathOf(key), 'r');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    try {
      return await use(file);
    } finally {
      await file.close();
    }
  }

  async #onPartial(
    { key, uploadId }: Upload,
    signal: AbortSignal,
    step: (partial: PartialFile) => Promise<void>,
  ): Promise<void> {
    signal.throwIfAborted();
    await onPartialFile(this.urlOf(key), () => step({ target: this.#pathOf(key), id: uploadId }));
  }

  #pathOf(key: string): string {
    return join(this.#directory, createHash('sha256').update(key).digest('hex'));
  }

  /** A key of its own for every name. */
  #keyOf(key: string): Secret<Buffer> {
    return new Secret(
      createHmac('sha256', this.#masterKey.reveal()).update(`callreel store key ${key}`).digest(),
    );
  }
}
