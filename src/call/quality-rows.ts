import { setRecordingQuality } from '../database/recordings.ts';
import type { Db } from '../database/schema.ts';
import type { MeasuredRecording, QualityOrder } from '../worker/quality-protocol.ts';
import type { WriteQueue } from './write-queue.ts';

/** The quality figures of recordings and their channels, in their rows. */
export class QualityRows {
  readonly #db: Db;
  readonly #writes: WriteQueue;

  constructor(db: Db, writes: WriteQueue) {
    this.#db = db;
    this.#writes = writes;
  }

  /** Behind its end. */
  measured({ recordingId, conversationId }: QualityOrder, measured: MeasuredRecording): Promise<void> {
    return this.#writes.add(conversationId, 'recording quality', async () => {
      await this.#db.transaction().execute((trx) => setRecordingQuality(trx, recordingId, measured));
    });
  }
}
