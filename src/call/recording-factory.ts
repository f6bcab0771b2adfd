import { CallreelError } from '../errors.ts';
import { newId } from '../ids.ts';
import type { CallCapture } from '../media/control.ts';
import type { Directory } from './directory.ts';
import type { RecordableRoom, RecordingMaker } from './recordable-room.ts';
import { Recording, type RecordingWishes } from './recording.ts';
import type { RecordingKeys } from './recording-keys.ts';

export interface RecordingFactoryOptions {
  directory: Directory;
  /** Puts the end of each on record. */
  closer: { follow(recording: Recording): void };
  keys: RecordingKeys;
  /** Rate of new recordings; undefined: by the best codec of the parties when the recording starts. */
  rateHz: number | undefined;
  /** The rate that does a party's codec justice. */
  rateHzOf(legId: string): number;
}

const leastRateHz = 8000;

/** Makes the recordings of conferences and calls: each with its own key, on record before it starts. */
export class RecordingFactory implements RecordingMaker {
  readonly #options: RecordingFactoryOptions;

  constructor(options: RecordingFactoryOptions) {
    this.#options = options;
  }

  create(room: RecordableRoom, wishes: RecordingWishes, call?: CallCapture): Recording {
    const { directory, closer, keys } = this.#options;
    const { controlId, clientState, statusUrl } = wishes;
    if (
      controlId !== undefined &&
      room.recordings.some((each) => each.running && each.wishes.controlId === controlId)
    )
      throw new CallreelError('CONFLICT', 'a recording with this control id runs already', {
        where: 'control_id',
      });
    const { conversationId, accountId, name, dialect, startedUnixMs, worker, eventCallbacks } = room;
    const recordingId = newId();
    const key = keys.create(recordingId);
    const meta = {
      conferenceName: name,
      dialect,
      startedUnixMs,
      eventCallbacks: [...eventCallbacks],
      ...(call && { kind: 'call', connectionId: call.legId }),
      ...(clientState !== undefined && { clientState }),
      ...(controlId !== undefined && { controlId }),
      ...(statusUrl !== undefined && { statusUrl }),
    };
    const recording = new Recording({
      ...{ recordingId, conversationId, accountId, key, worker, meta, wishes, call },
      rateHz: this.#options.rateHz ?? this.#bestRateHz(room),
    });
    directory.recordingStarted(recording, key.sealed);
    closer.follow(recording);
    return recording;
  }

  #bestRateHz({ members }: RecordableRoom): number {
    return Math.max(leastRateHz, ...members.map(({ connectionId }) => this.#options.rateHzOf(connectionId)));
  }
}
