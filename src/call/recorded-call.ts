import { newId } from '../ids.ts';
import type { CallCapture } from '../media/control.ts';
import type { MediaWorker } from '../worker/media-worker.ts';
import type { Leg } from './leg.ts';
import type { RecordableRoom, RecordingMaker } from './recordable-room.ts';
import type { Recording, RecordingWishes } from './recording.ts';

export interface RecordedCallOptions {
  leg: Leg;
  worker: MediaWorker;
  startedUnixMs: number;
  recordings: RecordingMaker;
}

/**
 * A call that is recorded by itself, from its first recording to its end: a room of its own for what the party says
 * and hears, wherever it is meanwhile.
 */
export class RecordedCall implements RecordableRoom {
  readonly conversationId = newId();
  readonly accountId: string;
  readonly name = '';
  readonly dialect = 'native';
  readonly worker: MediaWorker;
  readonly startedUnixMs: number;
  readonly eventCallbacks: ReadonlySet<string> = new Set();
  readonly call: CallCapture;
  readonly #maker: RecordingMaker;
  /** Until their ends are in the directory: however many a long call has, those that run need memory. */
  readonly #unwritten = new Map<string, Recording>();

  constructor({ leg, worker, startedUnixMs, recordings }: RecordedCallOptions) {
    const { connectionId, accountId, from, to, direction } = leg.connection;
    this.accountId = accountId;
    this.worker = worker;
    this.startedUnixMs = startedUnixMs;
    this.#maker = recordings;
    this.call = {
      legId: leg.id,
      saidTrackId: newId(),
      heardTrackId: newId(),
      party: { connectionId, from, to, direction, role: 'participant' },
    };
  }

  /** Those that run, and those whose ends are not on record yet. */
  get recordings(): Recording[] {
    return [...this.#unwritten.values()];
  }

  get members(): { connectionId: string; trackId: string }[] {
    return [{ connectionId: this.call.legId, trackId: this.call.saidTrackId }];
  }

  /**
   * One more recording of the call from now on.
   * @throws CallreelError CONFLICT for a control id that runs
   */
  addRecording(wishes: RecordingWishes): Recording {
    const recording = this.#maker.create(this, wishes, this.call);
    const { recordingId } = recording;
    this.#unwritten.set(recordingId, recording);
    void recording.whenWritten.then(() => this.#unwritten.delete(recordingId));
    recording.start();
    return recording;
  }
}
