import type { FileCommand, FileOrder, FileReply, FileStep } from './file-protocol.ts';
import { SpoolThread, type SpoolThreadOptions } from './spool-thread.ts';

/**
 * One low-priority thread writes the files of all recordings, so that neither signalling nor media waits for their
 * disk. One that dies is replaced when it is needed, and what it followed is made at its end.
 */
export class FileWriter {
  readonly #thread: SpoolThread<FileCommand, FileReply>;

  constructor(options: SpoolThreadOptions) {
    this.#thread = new SpoolThread(new URL('./file-thread.ts', import.meta.url), 'the file thread', options);
  }

  /** Ahead of the first call, which does not wait for it then. Resolves when the thread is ready, or could not be. */
  async start(): Promise<void> {
    await this.step([]).catch(() => undefined);
  }

  async follow(order: FileOrder): Promise<void> {
    await this.#thread.ask({ verb: 'follow', order });
  }

  async step(recordingIds: string[]): Promise<FileStep> {
    return (await this.#thread.ask({ verb: 'step', recordingIds })).step!;
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
