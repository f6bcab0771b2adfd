import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../clock.ts';
import { CallreelError } from '../errors.ts';
import { QualityMeter } from '../quality/quality-meter.ts';
import { GrowingSignal } from '../render/growing-signal.ts';
import { GrowingRecording } from '../spool/growing-recording.ts';
import type { MasterKey } from '../spool/keys.ts';
import { conversationDirectoryOf } from '../spool/layout.ts';
import type { MeasuredRecording, QualityOrder, SettledFigures } from './quality-protocol.ts';

export interface QualityDeskOptions {
  spoolDir: string;
  masterKey: MasterKey;
  lossConcealment: 'on' | 'off';
  clock: Clock;
}

/** So much of a long recording that was not followed is measured before others have their turn. */
const turnBlocks = 30;

/**
 * What the quality thread does, without the thread. Each packet is decoded once, for its channel and for the mix:
 *
 *     spool -> GrowingSignal -> tap: a QualityMeter for each track
 *                            -> mix: a QualityMeter
 */
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
    const { spoolDir, masterKey, lossConcealment, clock } = this.#options;
    const directory = conversationDirectoryOf(spoolDir, conversationId);
    const recording = new GrowingRecording(directory, recordingId, masterKey);
    return new Measurement(recording, lossConcealment, clock);
  }
}

async function finished(measurement: Measurement): Promise<MeasuredRecording> {
  try {
    let blocks = 0;
    for (const _ of measurement.advance()) if (++blocks % turnBlocks === 0) await setImmediate();
    return measurement.figures();
  } finally {
    measurement.close();
  }
}

/** Of its not being in the spool yet. */
function isMissing(error: unknown): boolean {
  return error instanceof CallreelError && error.code === 'NOT_FOUND';
}

/** The meters of one recording. */
class Measurement {
  readonly #signal: GrowingSignal;
  readonly #channels = new Map<string, QualityMeter>();
  #mix: QualityMeter | undefined;

  constructor(recording: GrowingRecording, lossConcealment: 'on' | 'off', clock: Clock) {
    this.#signal = new GrowingSignal({
      ...{ recording, stereo: false, clock },
      lossConcealment: lossConcealment === 'off' ? lossConcealment : undefined,
      tap: (trackId, samples) => this.#meterOf(trackId).push(samples),
    });
  }

  /** Measures block by block what is new. @throws CallreelError as `GrowingSignal.advance` */
  *advance(): Generator<void, void, undefined> {
    const mix = (this.#mix ??= new QualityMeter(this.#signal.rateHz));
    for (const samples of this.#signal.advance()) {
      mix.push(samples);
      yield;
    }
  }

  /** @returns what is settled by now, of all of it. @throws as `advance` */
  step(): MeasuredRecording | undefined {
    const mixBefore = this.#mix?.samples ?? 0;
    const before = new Map([...this.#channels].map(([trackId, { samples }]) => [trackId, samples]));
    for (const _ of this.advance());
    const mix = this.#mix;
    if (!mix?.isSettled || mix.samples === mixBefore) return undefined;
    // Where the mix goes on without a channel, its party has left.
    const isSettled = [...this.#channels].every(
      ([trackId, meter]) => meter.isSettled || meter.samples === before.get(trackId),
    );
    return isSettled ? this.#figures(mix) : undefined;
  }

  figures(): MeasuredRecording {
    if (!this.#signal.isComplete || !this.#mix)
      throw new CallreelError('CONFLICT', 'the recording has not ended');
    return this.#figures(this.#mix);
  }

  #figures(mix: QualityMeter): MeasuredRecording {
    const channels = [...this.#channels].map(([trackId, meter]) => {
      const driftPpm = this.#signal.driftPpm(trackId) ?? null;
      return [trackId, { ...meter.figures(), driftPpm }] as const;
    });
    return { mix: mix.figures(), channels: Object.fromEntries(channels) };
  }

  close(): void {
    this.#signal.close();
  }

  #meterOf(trackId: string): QualityMeter {
    let meter = this.#channels.get(trackId);
    if (!meter) this.#channels.set(trackId, (meter = new QualityMeter(this.#signal.rateHz)));
    return meter;
  }
}
