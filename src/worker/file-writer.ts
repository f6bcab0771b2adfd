import type { FileCommand, FileFailure, FileOrder, FileReply } from './file-protocol.ts';
import { SpoolThread, type SpoolThreadOptions } from './spool-thread.ts';

/**
 * One low-priority thread writes the files of all recordings, so that neither signalling nor media waits for their
 * disk. Started when it is first needed; one that dies is replaced, and what it followed is made at its end.
 */
export class FileWriter {
  readonly #thread: SpoolThread<FileCommand, FileReply>;

  constructor(options: SpoolThreadOptions) {
    this.#thread = new SpoolThread(new URL('./file-thread.ts', import.meta.url), 'the file thread', options);
  }

  async follow(order: FileOrder): Promise<void> {
    await this.#thread.ask({ verb: 'follow', order });
  }

  /** @returns those that it had to give up */
  async step(recordingIds: string[]): Promise<FileFailure[]> {
    return (await this.#thread.ask({ verb: 'step', recordingIds })).failures ?? [];
  }

  /** When it returns, the disk has the whole file. @throws CallreelError as `FileDesk.complete`, DRAINING */
  async complete(order: FileOrder): Promise<void> {
    await this.#thread.ask({ verb: 'complete', order });
  }

  async abandon(recordingId: string): Promise<void> {
    if (this.#thread.isRunning) await this.#thread.ask({ verb: 'abandon', recordingId });
  }

  async close(): Promise<void> {
    await this.#thread.close();
  }
}
