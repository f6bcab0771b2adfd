import type { Clock } from '../clock.ts';
import type { Db, Recording } from '../database/schema.ts';
import type { TranscriptRow } from '../database/transcript-table.ts';
import {
  changeTranscript,
  dropDeliveredCredentials,
  getTranscript,
  insertTranscript,
  lockTranscript,
} from '../database/transcripts.ts';
import { CallreelError } from '../errors.ts';
import { nextState } from '../state-machine.ts';
import { transcriptTable } from './transcript-states.ts';

/** Of what ended so there is nothing to hear, or nothing that may be given out. */
const withoutAudio: readonly string[] = ['no_input', 'no_consent', 'consent_withdrawn', 'error'];

/** The transcripts of this node as rows: written with their recordings, and set going or abandoned at their ends. */
export class TranscriptRows {
  readonly #node: string;
  readonly #clock: Clock;

  /** @param clock by which transcripts are tried again */
  constructor(node: string, clock: Clock) {
    this.#node = node;
    this.#clock = clock;
  }

  /** In the transaction that writes the recording's row; once for each recording. */
  async insert(
    trx: Db,
    recording: Pick<Recording, 'recordingId' | 'conversationId' | 'accountId' | 'startedAt'>,
    locale: string,
  ): Promise<void> {
    const { recordingId, conversationId, accountId, startedAt: createdAt } = recording;
    const ids = { recordingId, conversationId, accountId };
    await insertTranscript(trx, { ...ids, node: this.#node, locale, createdAt });
  }

  /**
   * Of a recording that was started without one; of one that ended it is made at once. One that was asked for before
   * stays as it is. The recording's row must be locked: nothing else may end it meanwhile.
   */
  async want(trx: Db, recording: Recording, locale: string): Promise<void> {
    const { recordingId, conversationId, accountId, node, startedAt: createdAt } = recording;
    if (await getTranscript(trx, recordingId)) return;
    await insertTranscript(trx, { recordingId, conversationId, accountId, node, locale, createdAt });
    if (recording.state === 'ended') await this.recordingEnded(trx, recording);
  }

  /** In the transaction that writes the recording's end. @returns the row as it is now */
  async recordingEnded(trx: Db, recording: Recording): Promise<TranscriptRow | undefined> {
    const found = await getTranscript(trx, recording.recordingId);
    if (!found) return undefined;
    const hasAudio = (recording.fileSamples ?? 0) > 0 && !withoutAudio.includes(recording.reason ?? 'error');
    if (!hasAudio || recording.erasedAt !== null) {
      return await this.abandon(trx, found.recordingId);
    }
    const now = new Date(this.#clock.unixMs());
    return await changeTranscript(trx, found.recordingId, { queuedAt: now, nextAttemptAt: now });
  }

  /**
   * Sets it going once more, or for the first time where a locale is given.
   * @throws CallreelError NOT_FOUND, CONFLICT
   */
  async again(trx: Db, recording: Recording, locale: string | undefined): Promise<TranscriptRow> {
    const { recordingId } = recording;
    const row = await lockTranscript(trx, recordingId);
    const conflict = (what: string) => new CallreelError('CONFLICT', what, { where: recordingId });
    if (recording.endedAt === null) throw conflict('the recording has not ended');
    if (!row) {
      if (locale === undefined)
        throw new CallreelError('NOT_FOUND', 'no transcript was asked for', { where: recordingId });
      await this.insert(trx, recording, locale);
      const begun = await this.recordingEnded(trx, recording);
      if (begun && begun.state !== 'abandoned') return begun;
      throw conflict('there is nothing to transcribe');
    }
    if (row.state === 'abandoned') throw conflict('there is nothing to transcribe');
    if (row.state === 'waiting' || row.state === 'running') throw conflict('the transcript is on its way');
    const isMadeAnew = row.state === 'done' || (locale !== undefined && locale !== row.locale);
    const now = new Date(this.#clock.unixMs());
    const changed = await changeTranscript(trx, recordingId, {
      ...{ state: nextState('transcript', transcriptTable, row.state, 'again') },
      ...{ queuedAt: now, nextAttemptAt: now, attempts: 0, errorCode: null, errorMessage: null },
      ...(locale !== undefined && { locale }),
      ...(isMadeAnew && { transcript: null, text: null }),
    });
    return changed ?? row;
  }

  /** Nothing more is made of it, and what was made is gone. @returns the row as it is now */
  async abandon(trx: Db, recordingId: string): Promise<TranscriptRow | undefined> {
    const row = await lockTranscript(trx, recordingId);
    if (!row || row.state === 'abandoned') return row;
    const state = nextState('transcript', transcriptTable, row.state, 'abandon');
    await dropDeliveredCredentials(trx, recordingId);
    return await changeTranscript(trx, recordingId, {
      ...{ state, nextAttemptAt: null, transcript: null, text: null },
      ...{ errorCode: null, errorMessage: null },
    });
  }
}
