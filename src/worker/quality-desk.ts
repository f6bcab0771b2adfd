import { setImmediate } from 'node:timers/promises';
import { CallreelError } from '../errors.ts';
import { GrowingRecording } from '../spool/growing-recording.ts';
import type { MasterKey } from '../spool/keys.ts';
import { conversationDirectoryOf } from '../spool/layout.ts';
import { Measurement } from './quality-measurement.ts';
import type { MeasuredRecording, QualityOrder, SettledFigures } from './quality-protocol.ts';

export interface QualityDeskOptions {
  spoolDir: string;
  masterKey: MasterKey;
  lossConcealment: 'on' | 'off';
}

/** What the quality thread does, without the thread: a `Measurement` of each recording that is followed. */
export class QualityDesk {
  readonly #options: QualityDeskOptions;
  readonly #measurements = new Map<string, Measurement>();

  constructor(options: QualityDeskOptions) {
    this.#options = options;
  }

  /** From the start on, whenever it is called. */
  follow(order: QualityOrder): void {
    this.#measurements.set(order.recordingId, this.#open(order));
  }

  /**
   * What goes wrong ends the following and nothing else: the recording is measured at its end then.
   * @returns the figures that are settled by now, of these
   */
  step(recordingIds: readonly string[]): SettledFigures {
    const settled: SettledFigures = {};
    for (const recordingId of recordingIds) {
      const figures = this.#step(recordingId);
      if (figures) settled[recordingId] = figures;
    }
    return settled;
  }

  /** @throws CallreelError CONFLICT where it has not ended, and what is wrong with its spool */
  async measure(order: QualityOrder): Promise<MeasuredRecording> {
    const followed = this.#measurements.get(order.recordingId);
    this.#measurements.delete(order.recordingId);
    const measured = followed && (await finished(followed).catch(() => undefined));
    return measured ?? (await finished(this.#open(order)));
  }

  drop(recordingId: string): void {
    this.#measurements.get(recordingId)?.close();
    this.#measurements.delete(recordingId);
  }

  #step(recordingId: string): MeasuredRecording | undefined {
    const measurement = this.#measurements.get(recordingId);
    try {
      return measurement?.step();
    } catch (error) {
      if (!isMissing(error)) this.drop(recordingId);
      return undefined;
    }
  }

  #open({ conversationId, recordingId }: QualityOrder): Measurement {
    const { spoolDir, masterKey, lossConcealment } = this.#options;
    const directory = conversationDirectoryOf(spoolDir, conversationId);
    return new Measurement(new GrowingRecording(directory, recordingId, masterKey), lossConcealment);
  }
}

async function finished(measurement: Measurement): Promise<MeasuredRecording> {
  try {
    for (const _ of measurement.finish()) await setImmediate();
    return measurement.figures();
  } finally {
    measurement.close();
  }
}

/** Of its not being in the spool yet. */
function isMissing(error: unknown): boolean {
  return error instanceof CallreelError && error.code === 'NOT_FOUND';
}
