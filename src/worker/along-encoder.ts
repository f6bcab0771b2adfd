import type { EncodeCommand, EncodeOrder, EncodeReply } from './encode-protocol.ts';
import { SpoolThread, type SpoolThreadOptions } from './spool-thread.ts';

/**
 * One low-priority thread encodes files along with their recordings, so that they are there when those end. Started
 * when it is first needed; what a thread that dies had is made at its end.
 */
export class AlongEncoder {
  readonly #thread: SpoolThread<EncodeCommand, EncodeReply>;

  constructor(options: SpoolThreadOptions) {
    this.#thread = new SpoolThread(
      new URL('./encode-thread.ts', import.meta.url),
      'the encode thread',
      options,
    );
  }

  /** @throws CallreelError RENDER_FAILED, as all of these */
  async follow(order: EncodeOrder): Promise<void> {
    await this.#thread.ask({ verb: 'follow', order });
  }

  async step(recordingIds: string[]): Promise<void> {
    await this.#thread.ask({ verb: 'step', recordingIds });
  }

  /** @returns undefined where it has no whole file */
  async take(recordingId: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return (await this.#thread.ask({ verb: 'take', recordingId })).file;
  }

  async drop(recordingId: string): Promise<void> {
    if (this.#thread.isRunning) await this.#thread.ask({ verb: 'drop', recordingId });
  }

  async close(): Promise<void> {
    await this.#thread.close();
  }
}
