import type {
  MeasuredRecording,
  QualityCommand,
  QualityOrder,
  QualityReply,
  SettledFigures,
} from './quality-protocol.ts';
import { SpoolThread, type SpoolThreadOptions } from './spool-thread.ts';

/**
 * One low-priority thread measures recordings along, so that their figures are there when they end. One that dies is
 * replaced when it is needed; what it had is measured at its end.
 */
export class QualityGauge {
  readonly #thread: SpoolThread<QualityCommand, QualityReply>;

  constructor(options: SpoolThreadOptions) {
    this.#thread = new SpoolThread(
      new URL('./quality-thread.ts', import.meta.url),
      'the quality thread',
      options,
    );
  }

  /** Ahead of the first call, which does not wait for it then. Resolves when the thread is ready, or could not be. */
  async start(): Promise<void> {
    await this.step([]).catch(() => undefined);
  }

  /** @throws CallreelError RENDER_FAILED, as all of these */
  async follow(order: QualityOrder): Promise<void> {
    await this.#thread.ask({ verb: 'follow', order });
  }

  /** @returns as `QualityDesk.step` */
  async step(recordingIds: string[]): Promise<SettledFigures> {
    return (await this.#thread.ask({ verb: 'step', recordingIds })).settled!;
  }

  /** Of an ended recording. @throws CallreelError as `QualityDesk.measure` */
  async measure(order: QualityOrder): Promise<MeasuredRecording> {
    return (await this.#thread.ask({ verb: 'measure', order })).measured!;
  }

  async drop(recordingId: string): Promise<void> {
    if (this.#thread.isRunning) await this.#thread.ask({ verb: 'drop', recordingId });
  }

  async close(): Promise<void> {
    await this.#thread.close();
  }
}
