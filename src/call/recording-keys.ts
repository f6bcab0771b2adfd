import type { RecordingKeyMaterial } from '../media/control.ts';
import { type MasterKey, newRecordingKey } from '../spool/keys.ts';

/** Makes the keys of new recordings; the only part of call control that holds the master key. */
export class RecordingKeys {
  readonly #masterKey: MasterKey;

  constructor(masterKey: MasterKey) {
    this.#masterKey = masterKey;
  }

  create(recordingId: string): RecordingKeyMaterial {
    return newRecordingKey(this.#masterKey, recordingId);
  }
}
