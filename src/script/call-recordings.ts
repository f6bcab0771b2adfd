import type { Leg } from '../call/leg.ts';
import type { LiveCalls } from '../call/live-calls.ts';
import type { Recording, RecordingWishes } from '../call/recording.ts';
import { CallreelError } from '../errors.ts';
import type { EndReason } from '../spool/records.ts';
import type { VerbResults } from './verb.ts';

/** How one ends that was over before it was stopped, though nobody here was told yet. */
const byItself: ReadonlySet<EndReason | undefined> = new Set([
  'terminator',
  'max_length',
  'end_silence',
  'no_input',
  'error',
  'interrupted',
] as const);

export interface CallRecordingsOptions {
  calls: Pick<LiveCalls, 'recordCall' | 'recordingsOfCall'>;
}

/** The recordings that a call's document starts and stops. */
export class CallRecordings {
  readonly #options: CallRecordingsOptions;

  constructor(options: CallRecordingsOptions) {
    this.#options = options;
  }

  /**
   * Settles when the recording has ended by itself and is written; `signal` ends it.
   * @throws CallreelError as `start`
   */
  async record(leg: Leg, wishes: RecordingWishes, signal: AbortSignal): Promise<VerbResults['record']> {
    const recording = this.#options.calls.recordCall(leg.id, wishes);
    const stop = () => recording.stop();
    signal.addEventListener('abort', stop, { once: true });
    try {
      const reason = await recording.whenEnded;
      assertBegun(recording);
      await recording.whenWritten;
      return { recording, reason };
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  /**
   * Settles when it records, or waits for consent.
   * @throws CallreelError CONFLICT for a control id that runs, INTERNAL where the media worker does not take it
   */
  async start(leg: Leg, wishes: RecordingWishes): Promise<Recording> {
    const recording = this.#options.calls.recordCall(leg.id, wishes);
    await (wishes.options?.consent === undefined ? recording.whenBegun : recording.whenTaken);
    assertBegun(recording);
    return recording;
  }

  /**
   * Settles when its file is whole.
   * @returns undefined where none runs, or none of that name, or where it just ended by itself
   */
  async stop(leg: Leg, controlId: string | undefined): Promise<Recording | undefined> {
    const running = this.#options.calls.recordingsOfCall(leg.id);
    const recording = running.findLast(
      ({ wishes }) => controlId === undefined || wishes.controlId === controlId,
    );
    if (!recording) return undefined;
    recording.stop();
    await recording.whenWritten;
    return byItself.has(recording.endReason) ? undefined : recording;
  }
}

/** @throws CallreelError INTERNAL */
function assertBegun({ endReason, recordingId }: Recording): void {
  if (endReason === 'error')
    throw new CallreelError('INTERNAL', 'the recording could not be made', { where: recordingId });
}
