import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { AudioFileFormat, AudioFileRateHz } from '../container/audio-file.ts';
import { CallreelError } from '../errors.ts';
import { GrowingFile } from './growing-file.ts';
import type { GrowingSignal } from './growing-signal.ts';

export interface FileFollowerOptions {
  signal: GrowingSignal;
  /** Where no file is yet; its directories are made. */
  path: string;
  format: AudioFileFormat;
}

/** Writes a recording's file along with it. Blocks on the disk. */
export class FileFollower {
  readonly #options: FileFollowerOptions;
  #file: GrowingFile | undefined;

  constructor(options: FileFollowerOptions) {
    this.#options = options;
  }

  /**
   * Appends what is new and settled.
   * @throws CallreelError FILE_UNUSABLE where the disk failed; as `GrowingSignal.advance`. It is then to be closed;
   *   what is written stays.
   */
  step(): void {
    const { signal, format } = this.#options;
    const file = (this.#file ??= this.#begin());
    if (!file) return;
    for (const samples of signal.advance()) {
      file.write(samples);
      this.#assertWhole(file);
    }
    // An MP3 lists its frames by itself, and an MP4 would be made of fragments as short as a step.
    if (format === 'wav') file.refresh();
    this.#assertWhole(file);
  }

  /** How many channels may have something new. */
  get channels(): number {
    return this.#options.signal.openTracks;
  }

  /**
   * Writes the rest of an ended recording, and returns when the disk has all of it.
   * @throws CallreelError as `step`, CONFLICT where the recording has not ended
   */
  finish(): void {
    this.step();
    const { signal } = this.#options;
    if (!this.#file || !signal.isComplete)
      throw new CallreelError('CONFLICT', 'the recording has not ended', { where: this.#options.path });
    this.#file.finish();
    this.#assertWhole(this.#file);
  }

  /** Goes on no more; what is written stays. */
  close(): void {
    this.#options.signal.close();
    this.#file?.close();
  }

  /** @returns undefined as long as the recording is not in the spool */
  #begin(): GrowingFile | undefined {
    const { signal, path, format } = this.#options;
    try {
      const rateHz = signal.rateHz as AudioFileRateHz;
      makeDirectory(path);
      return new GrowingFile(path, { format, rateHz, channels: signal.channels });
    } catch (error) {
      if (error instanceof CallreelError && error.code === 'NOT_FOUND') return undefined;
      throw error;
    }
  }

  #assertWhole({ failure }: GrowingFile): void {
    if (failure) throw failure;
  }
}

/** @throws CallreelError FILE_UNUSABLE */
export function makeDirectory(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new CallreelError('FILE_UNUSABLE', 'cannot make the directory of an audio file', {
      where: dirname(path),
      cause,
    });
  }
}
