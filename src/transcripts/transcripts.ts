import { changeDelivery, deliveryOfRecording } from '../database/deliveries.ts';
import { getRecording, lockRecording } from '../database/recordings.ts';
import type { Db, Delivery, Recording } from '../database/schema.ts';
import type { TranscriptRow } from '../database/transcript-table.ts';
import { getTranscript, lastTranscriptAt } from '../database/transcripts.ts';
import { type CredentialSeal, credentialsAbout } from '../delivery/credential-seal.ts';
import { parseCredentials } from '../delivery/destinations/destination-credentials.ts';
import { parseDestinationUrl } from '../delivery/destinations/destination-url.ts';
import type { OwnStore } from '../delivery/destinations/own-store.ts';
import { CallreelError } from '../errors.ts';
import type { Secret } from '../secret.ts';
import type { Transcriber } from './transcriber.ts';
import { transcriptKeyOf } from './transcript-file.ts';
import type { TranscriptRows } from './transcript-rows.ts';

export interface TranscriptsOptions {
  db: Db;
  rows: TranscriptRows;
  seal: CredentialSeal;
  transcriber: Pick<Transcriber, 'interrupt' | 'kick'>;
  ownStore?: OwnStore | undefined;
}

export interface TranscribeWish {
  /** Another than before. */
  locale?: string | undefined;
  /** For the file, where those of the recording's delivery are not kept any more. */
  credentials?: Secret | undefined;
}

/** What may be asked of transcripts. */
export class Transcripts {
  readonly #options: TranscriptsOptions;

  constructor(options: TranscriptsOptions) {
    this.#options = options;
  }

  /**
   * Transcribes an ended recording: for the first time, or once more what failed, was given up, or is there. Where the
   * text is there and only its file failed, and no other locale is given, only that is delivered; else the text that
   * was there is gone.
   * @throws CallreelError NOT_FOUND for a recording that was never to be transcribed, unless a locale is given;
   *   CONFLICT while it goes on, or the transcript is on its way; RECORDING_ERASED; DESTINATION_INVALID, also for
   *   credentials that are not kept any more; SPOOL_KEY_MISSING
   */
  async transcribe(
    { accountId, recordingId }: Pick<Recording, 'accountId' | 'recordingId'>,
    wish: TranscribeWish = {},
  ): Promise<TranscriptRow> {
    const { db, transcriber } = this.#options;
    const row = await db.transaction().execute(async (trx) => {
      const recording = await getRecording(trx, accountId, recordingId);
      if (!recording)
        throw new CallreelError('NOT_FOUND', 'there is no such recording', { where: recordingId });
      if (recording.erasedAt)
        throw new CallreelError('RECORDING_ERASED', 'the recording was erased', { where: recordingId });
      const begun = await this.#options.rows.again(trx, recording, wish.locale);
      await this.#keepCredentials(trx, recordingId, wish.credentials);
      return begun;
    });
    transcriber.kick();
    return row;
  }

  /**
   * Has a recording transcribed that was started without: when it ends, or now. One that was to be before stays as it
   * is.
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

  /** The file goes where the recording's went, by the credentials that are kept of it or these. */
  async #keepCredentials(trx: Db, recordingId: string, given: Secret | undefined): Promise<void> {
    const { seal } = this.#options;
    const delivery = await deliveryOfRecording(trx, recordingId);
    if (!delivery || delivery.key === '') return;
    const { deliveryId, url, state } = delivery;
    parseCredentials(parseDestinationUrl(url).scheme, given ?? this.#keptCredentials(delivery));
    if (!given) return;
    if (state !== 'delivered' && state !== 'dead')
      throw new CallreelError('CONFLICT', 'the recording is on its way, with credentials of its own', {
        where: deliveryId,
      });
    await changeDelivery(trx, deliveryId, {
      sealedCredentials: seal.seal(given, credentialsAbout(delivery)),
    });
  }

  #keptCredentials(delivery: Delivery): Secret | undefined {
    const { sealedCredentials } = delivery;
    return sealedCredentials === null
      ? undefined
      : this.#options.seal.open(sealedCredentials, credentialsAbout(delivery));
  }
}
