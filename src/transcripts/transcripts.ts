import { deliveryOfRecording } from '../database/deliveries.ts';
import { lockRecording } from '../database/recordings.ts';
import type { Db } from '../database/schema.ts';
import { getTranscript, lastTranscriptAt } from '../database/transcripts.ts';
import type { OwnStore } from '../delivery/destinations/own-store.ts';
import { CallreelError } from '../errors.ts';
import type { Transcriber } from './transcriber.ts';
import { transcriptKeyOf } from './transcript-file.ts';
import type { TranscriptRows } from './transcript-rows.ts';

export interface TranscriptsOptions {
  db: Db;
  rows: TranscriptRows;
  transcriber: Pick<Transcriber, 'interrupt' | 'kick'>;
  ownStore?: OwnStore | undefined;
}

/** What may be asked of transcripts. */
export class Transcripts {
  readonly #options: TranscriptsOptions;

  constructor(options: TranscriptsOptions) {
    this.#options = options;
  }

  /**
   * Has a recording transcribed that was started without: when it ends, or now.
   * @throws CallreelError NOT_FOUND, RECORDING_ERASED
   */
  async want(accountId: string, recordingId: string, locale: string): Promise<void> {
    const { db, rows, transcriber } = this.#options;
    await db.transaction().execute(async (trx) => {
      const recording = await lockRecording(trx, accountId, recordingId);
      if (!recording)
        throw new CallreelError('NOT_FOUND', 'there is no such recording', { where: recordingId });
      if (recording.erasedAt)
        throw new CallreelError('RECORDING_ERASED', 'the recording was erased', { where: recordingId });
      await rows.want(trx, recording, locale);
    });
    transcriber.kick();
  }

  /** The recording is erased: nothing more is made of it, its text goes, and its file in our own store. */
  async erase(recordingId: string): Promise<void> {
    const { db, rows, transcriber } = this.#options;
    if (!(await getTranscript(db, recordingId))) return;
    await db.transaction().execute((trx) => rows.abandon(trx, recordingId));
    await transcriber.interrupt(recordingId);
    await this.#removeFromStore(recordingId);
  }

  /** Also what was just being written; a later transcript may have been written over it. */
  async #removeFromStore(recordingId: string): Promise<void> {
    const { db, ownStore } = this.#options;
    const delivery = await deliveryOfRecording(db, recordingId);
    if (delivery?.place !== 'sdrive://' || delivery.key === '') return;
    const key = transcriptKeyOf(delivery.key);
    const last = await lastTranscriptAt(db, `sdrive://${key}`);
    if (!last || last.recordingId === recordingId) await ownStore?.remove(key);
  }
}
