import type { Clock } from '../clock.ts';
import {
  beginErasure,
  finishErasure,
  getRecording,
  listHalfErasedRecordings,
  listWithdrawnRecordings,
  withdrawRecording,
} from '../database/recordings.ts';
import type { Db, Recording } from '../database/schema.ts';
import { CallreelError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { eraseRecording } from '../spool/erase.ts';

export interface RecordingEraserOptions {
  db: Db;
  clock: Clock;
  log: Logger;
  spoolDir: string;
  /** Drops what is kept in memory of the recording. */
  forget(recordingId: string): void;
  /** Ends what is on its way to its destination. */
  abandonDelivery?(recordingId: string): Promise<void>;
  /** Removes the file that was written along with it. */
  eraseFile?(recording: Recording): Promise<void>;
}

/**
 * Erases recordings: first the row says that nothing is given out any more, then the files go, then the key. Whatever
 * interrupts it is taken up again, by the next request or the next start.
 */
export class RecordingEraser {
  readonly #options: RecordingEraserOptions;

  constructor(options: RecordingEraserOptions) {
    this.#options = options;
  }

  /**
   * Nothing of the audio is left when it returns; the row stays, with the time.
   * @throws CallreelError NOT_FOUND (also for one that was erased), CONFLICT before its end
   */
  async erase(accountId: string, recordingId: string): Promise<void> {
    const { db, clock } = this.#options;
    const row = await beginErasure(db, accountId, recordingId, new Date(clock.unixMs()));
    if (row) return await this.#finish(row);
    const found = await getRecording(db, accountId, recordingId);
    if (found && found.state !== 'ended')
      throw new CallreelError('CONFLICT', 'the recording is not finished before its conversation is', {
        where: recordingId,
      });
    throw new CallreelError('NOT_FOUND', 'there is no such recording', { where: recordingId });
  }

  /** Consent is withdrawn: from now on it is certain that it is erased, before it has ended and through a crash. */
  async withdraw(accountId: string, recordingId: string): Promise<void> {
    const { db, clock } = this.#options;
    await withdrawRecording(db, accountId, recordingId, new Date(clock.unixMs()));
  }

  /** Ends what the run before began. */
  async finishInterrupted(): Promise<void> {
    const { db, log, spoolDir } = this.#options;
    for (const { accountId, recordingId } of await listWithdrawnRecordings(db, spoolDir))
      await this.erase(accountId, recordingId).catch((error: unknown) =>
        log.error({ error, recordingId }, 'a recording could not be erased'),
      );
    for (const row of await listHalfErasedRecordings(db, spoolDir)) {
      try {
        await this.#finish(row);
      } catch (error) {
        log.error({ error, recordingId: row.recordingId }, 'a recording could not be erased');
      }
    }
  }

  async #finish(row: Recording): Promise<void> {
    const { conversationId, recordingId } = row;
    const { db, log, spoolDir, forget, eraseFile, abandonDelivery } = this.#options;
    await abandonDelivery?.(recordingId);
    // Before its file: nothing can be made of it again.
    const { removed } = eraseRecording(spoolDir, conversationId, recordingId);
    forget(recordingId);
    await eraseFile?.(row);
    await finishErasure(db, recordingId);
    log.info({ conversationId, recordingId, files: removed.length }, 'a recording was erased');
  }
}
