import { CallreelError } from '../errors.ts';
import { releaseBytes } from '../released-bytes.ts';
import type { OpenRendition, RenderPool } from '../worker/render-pool.ts';
import type { RenditionRequest } from '../worker/render-protocol.ts';
import type { UploadSource } from './destinations/upload.ts';

export type Renders = Pick<RenderPool, 'open'>;

/**
 * The file of an ended recording, byte for byte what its link gives, rendered as it is read: nothing of it lies on a
 * disk, and in memory is only what is asked for. Cheap when read from front to back.
 */
export class RenditionSource implements UploadSource {
  readonly bytes: number;
  readonly contentType: string;
  readonly #reopen: () => Promise<OpenRendition>;
  /** Not read from yet. */
  #fresh: OpenRendition | undefined;
  #reader: AsyncGenerator<Uint8Array, void, void> | undefined;
  /** Position of the reader in the file, and what it gave that was not asked for yet. */
  #at = 0;
  #rest: Uint8Array = new Uint8Array(0);
  /** That this is the rest of. */
  #chunk = this.#rest;

  private constructor(fresh: OpenRendition, reopen: () => Promise<OpenRendition>) {
    this.#fresh = fresh;
    this.#reopen = reopen;
    this.bytes = fresh.head.byteLength;
    this.contentType = fresh.head.contentType;
  }

  /** @throws CallreelError as `RenderPool.open`, CONFLICT before the recording's end */
  static async open(renders: Renders, request: RenditionRequest): Promise<RenditionSource> {
    const open = await renders.open(request);
    if (open.head.complete) return new RenditionSource(open, () => renders.open(request));
    open.release();
    throw new CallreelError('CONFLICT', 'the recording has not ended', { where: request.recordingId });
  }

  /**
   * What is there of a recording that goes on: of a WAV file everything but the head is as it will be.
   * @throws CallreelError as `RenderPool.open`
   */
  static async openGrowing(renders: Renders, request: RenditionRequest): Promise<RenditionSource> {
    return new RenditionSource(await renders.open(request), () => renders.open(request));
  }

  /** @throws CallreelError RENDER_FAILED where the file is shorter than it should be, and as `RenderPool.open` */
  async read(fromByte: number, toByte: number): Promise<Uint8Array> {
    const content = new Uint8Array(toByte - fromByte);
    if (content.length === 0) return content;
    const reader = await this.#readerAt(fromByte);
    for (let filled = 0; filled < content.length; ) {
      if (this.#rest.length === 0) {
        const next = await reader.next();
        if (next.done) throw new CallreelError('RENDER_FAILED', 'the file is shorter than it should be');
        releaseBytes(this.#chunk);
        this.#rest = this.#chunk = next.value;
      }
      const part = this.#rest.subarray(0, content.length - filled);
      content.set(part, filled);
      filled += part.length;
      this.#at += part.length;
      this.#rest = this.#rest.subarray(part.length);
    }
    return content;
  }

  async close(): Promise<void> {
    await this.#rewind();
    this.#fresh?.release();
    this.#fresh = undefined;
  }

  async #rewind(): Promise<void> {
    await this.#reader?.return();
    this.#reader = undefined;
    this.#rest = new Uint8Array(0);
  }

  async #readerAt(fromByte: number): Promise<AsyncGenerator<Uint8Array, void, void>> {
    if (this.#reader && this.#at === fromByte) return this.#reader;
    await this.#rewind();
    const open = this.#fresh ?? (await this.#reopen());
    this.#fresh = undefined;
    this.#at = fromByte;
    this.#reader = open.read(fromByte, this.bytes - 1);
    return this.#reader;
  }
}
