import { closeSync, fdatasyncSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { type AudioFileShape, openAudioFile } from '../container/audio-file.ts';
import type { AudioFileWriter, FilePart } from '../container/writer.ts';
import { CallreelError } from '../errors.ts';

/**
 * An audio file on disk that is written along with a call, and plays as it lies at any moment: what is missing is what
 * the encoder holds, and with WAV what its header does not list until the next `refresh`: up to a second, or what was
 * written last. A disk that fails (full, gone) ends the file and nothing else: what was whole stays, `failure` says why,
 * and further audio is passed over; the file can be made from the recording later. Blocks on the disk: not for a thread
 * that answers to time.
 */
export class GrowingFile {
  readonly #path: string;
  readonly #writer: AudioFileWriter;
  #descriptor: number | undefined;
  /** Everything up to here was written. */
  #wholeBytes = 0;
  #failure: CallreelError | undefined;

  /**
   * @param path where no file is yet
   * @throws CallreelError REQUEST_INVALID, and FILE_UNUSABLE where no file can be begun
   */
  constructor(path: string, shape: AudioFileShape) {
    this.#path = path;
    this.#writer = openAudioFile(shape, { lends: true });
    try {
      this.#descriptor = openSync(path, 'wx', 0o600);
    } catch (cause) {
      throw this.#unusable(cause);
    }
    this.refresh();
  }

  /** Set once the disk has failed; the file then ends before. */
  get failure(): CallreelError | undefined {
    return this.#failure;
  }

  get byteLength(): number {
    return this.#wholeBytes;
  }

  /** @param samples interleaved; their memory may be used again */
  write(samples: Int16Array): void {
    if (this.#descriptor !== undefined) this.#put(this.#writer.write(samples));
  }

  /** Puts into the file what it can hold without ending: where a call pauses, say. */
  refresh(): void {
    if (this.#descriptor !== undefined) this.#put(this.#writer.refresh());
  }

  /** Ends the file with its exact length, and returns when the disk has it. */
  finish(): void {
    if (this.#descriptor === undefined) return;
    this.#put(this.#writer.finish());
    this.#close();
  }

  /** Stops without an end: what is there plays. */
  close(): void {
    this.#close();
  }

  #put(parts: readonly FilePart[]): void {
    const descriptor = this.#descriptor!;
    try {
      for (const { bytes, at } of parts) {
        writeAll(descriptor, bytes, at);
        this.#wholeBytes = Math.max(this.#wholeBytes, at + bytes.length);
      }
    } catch (cause) {
      this.#failure = this.#unusable(cause);
      this.#close();
    }
  }

  #close(): void {
    const descriptor = this.#descriptor;
    if (descriptor === undefined) return;
    this.#descriptor = undefined;
    try {
      // Of a write that failed half may be there.
      if (this.#failure) ftruncateSync(descriptor, this.#wholeBytes);
      fdatasyncSync(descriptor);
    } catch (cause) {
      this.#failure ??= this.#unusable(cause);
    } finally {
      closeSync(descriptor);
    }
  }

  #unusable(cause: unknown): CallreelError {
    const why = cause instanceof Error && 'code' in cause ? ` (${cause.code})` : '';
    const message = `cannot write the audio file${why}`;
    return new CallreelError('FILE_UNUSABLE', message, { where: this.#path, cause });
  }
}

function writeAll(descriptor: number, bytes: Uint8Array, at: number): void {
  for (let done = 0; done < bytes.length; )
    done += writeSync(descriptor, bytes, done, bytes.length - done, at + done);
}
