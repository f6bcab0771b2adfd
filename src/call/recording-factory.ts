import { newId } from '../ids.ts';
import type { Conference, RecordingMaker, RecordingWishes } from './conference.ts';
import type { Directory } from './directory.ts';
import { Recording } from './recording.ts';
import type { RecordingKeys } from './recording-keys.ts';

export interface RecordingFactoryOptions {
  directory: Directory;
  keys: RecordingKeys;
  /** Rate of new recordings; undefined: by the best codec of the parties when the recording starts. */
  rateHz: number | undefined;
  /** The rate that does a party's codec justice. */
  rateHzOf(legId: string): number;
}

const leastRateHz = 8000;

/** Makes the recordings of conferences: each with its own key, on record before it starts. */
export class RecordingFactory implements RecordingMaker {
  readonly #options: RecordingFactoryOptions;

  constructor(options: RecordingFactoryOptions) {
    this.#options = options;
  }

  create(conference: Conference, { clientState }: RecordingWishes): Recording {
    const { directory, keys } = this.#options;
    const rateHz = this.#options.rateHz ?? this.#bestRateHz(conference);
    const { conversationId, accountId, name, dialect, startedUnixMs, worker, eventCallbacks } = conference;
    const recordingId = newId();
    const key = keys.create(recordingId);
    const meta = {
      conferenceName: name,
      dialect,
      startedUnixMs,
      eventCallbacks: [...eventCallbacks],
      ...(clientState !== undefined && { clientState }),
    };
    const recording = new Recording({
      recordingId,
      conversationId,
      accountId,
      rateHz,
      key,
      worker,
      meta,
      clientState,
    });
    directory.recordingStarted(conference, recording, key.sealed);
    return recording;
  }

  #bestRateHz({ members }: Conference): number {
    return Math.max(leastRateHz, ...members.map(({ connectionId }) => this.#options.rateHzOf(connectionId)));
  }
}
