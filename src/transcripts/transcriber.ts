import type { Clock } from '../clock.ts';
import { deliveryOfRecording } from '../database/deliveries.ts';
import { getRecording } from '../database/recordings.ts';
import { isRefusedWrite } from '../database/refused-write.ts';
import type { Db } from '../database/schema.ts';
import type { TranscriptRow } from '../database/transcript-table.ts';
import {
  changeTranscript,
  dropDeliveredCredentials,
  hasDueTranscripts,
  listTranscriptsToDeliver,
  listTranscriptsToMake,
  lockTranscript,
  reviveInterruptedTranscripts,
} from '../database/transcripts.ts';
import { deadCredentialsMs, deliveryDelayMs } from '../delivery/delivery-schedule.ts';
import type { DeliveryUploadOptions } from '../delivery/delivery-upload.ts';
import type { Outbox } from '../delivery/outbox.ts';
import { RowJobs } from '../delivery/row-jobs.ts';
import { asCallreelError, CallreelError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { saneText } from '../sane-input.ts';
import { nextState } from '../state-machine.ts';
import { isRetriable, type SpeechToText } from '../transcription/speech-to-text.ts';
import { transcribeRecording } from '../transcription/transcribe-recording.ts';
import type { Transcript } from '../transcription/transcript.ts';
import { type RecordedPartiesOptions, recordedParties } from './recorded-parties.ts';
import { storable, textOf } from './storable-transcript.ts';
import { uploadTranscript } from './transcript-file.ts';
import type { TranscriptRows } from './transcript-rows.ts';
import { transcriptTable } from './transcript-states.ts';

/** Writes the event of a transcript in the transaction of its state. */
export type TellTranscript = (trx: Db, transcript: TranscriptRow, state: 'done' | 'dead') => Promise<void>;

export interface TranscriberOptions
  extends Pick<DeliveryUploadOptions, 'db' | 'seal' | 'settings'>,
    RecordedPartiesOptions {
  /** The engine, once it is wanted. @throws CallreelError CONFIG_INVALID, TRANSCRIPTION_MODEL_BROKEN */
  engine(): Promise<SpeechToText>;
  node: string;
  outbox: Pick<Outbox, 'transaction'>;
  rows: TranscriptRows;
  tell: TellTranscript;
  /** By which transcripts are tried again. */
  clock: Clock;
  log: Logger;
  retryDays: number;
  /** Recordings that are transcribed at once. */
  concurrency: number;
  pollMs?: number;
}

const deliveriesAtOnce = 4;

/**
 * Makes the transcripts of ended recordings, and brings their files to where the recordings' are. The row of each is
 * its job:
 *
 *   waiting --end of the recording--> due -> running -> (text) waiting --recording delivered--> running -> done
 *                                      ^        \-> failing, due again later ... -> dead
 *                                      \------- restart
 *
 * A state and its event are written in one transaction.
 */
export class Transcriber {
  readonly #options: TranscriberOptions;
  readonly #jobs: RowJobs;

  constructor(options: TranscriberOptions) {
    this.#options = options;
    const { clock, log, pollMs } = options;
    this.#jobs = new RowJobs({
      ...{ clock, wallClock: options.settings.clock, log, pollMs },
      names: { one: 'a transcript', many: 'transcripts', id: 'recordingId' },
      fetch: () => this.#fetch(),
    });
  }

  /** Takes up what the run before was doing. */
  async start(): Promise<void> {
    const { db, node } = this.#options;
    await reviveInterruptedTranscripts(db, node, this.#now());
    this.#jobs.start();
  }

  /** Looks for work now. */
  kick(): void {
    this.#jobs.kick();
  }

  /** Ends the try that is under way, if there is one; the row says what is next. */
  async interrupt(recordingId: string): Promise<void> {
    const reason = new CallreelError('CONFLICT', 'the transcript was given up', { where: recordingId });
    await this.#jobs.interrupt(recordingId, reason);
  }

  /** Takes no new work and breaks off what is under way: the next start begins it anew. */
  async stop(): Promise<void> {
    await this.#jobs.stop();
  }

  async #fetch(): Promise<number> {
    const { db, node } = this.#options;
    if (!(await hasDueTranscripts(db, node, this.#now()))) return 0;
    return (
      (await this.#take('making', this.#options.concurrency, listTranscriptsToMake)) +
      (await this.#take('delivering', deliveriesAtOnce, listTranscriptsToDeliver))
    );
  }

  async #take(
    group: 'making' | 'delivering',
    most: number,
    list: typeof listTranscriptsToMake,
  ): Promise<number> {
    const { db, node } = this.#options;
    const { groups, taken } = this.#jobs;
    const free = most - (groups.get(group) ?? 0);
    if (free <= 0 || this.#jobs.isStopping) return 0;
    const due = await list(db, node, { now: this.#now(), limit: free, except: taken });
    if (this.#jobs.isStopping) return 0;
    for (const { recordingId } of due)
      this.#jobs.begin(recordingId, group, (signal) => this.#attempt(recordingId, signal));
    return due.length;
  }

  async #attempt(recordingId: string, signal: AbortSignal): Promise<void> {
    const row = await this.#settled((trx) => this.#claim(trx, recordingId));
    if (!row) return;
    try {
      if (row.transcript === null) {
        const transcript = await this.#make(row, signal);
        await this.#settled((trx) => this.#made(trx, recordingId, transcript));
      } else {
        const delivered = await uploadTranscript(row, this.#options, signal);
        const change = delivered && { ...delivered, deliveredAt: this.#now() };
        await this.#settled((trx) => this.#finished(trx, recordingId, change));
      }
    } catch (error) {
      // By a stop it is taken up again at the next start; by an erasure it is abandoned.
      if (signal.aborted) return;
      await this.#settled((trx) => this.#failed(trx, recordingId, error));
    }
  }

  /** @returns undefined when there is nothing to do for it any more */
  async #claim(trx: Db, recordingId: string): Promise<TranscriptRow | undefined> {
    const row = await lockTranscript(trx, recordingId);
    if (!row || row.nextAttemptAt === null) return undefined;
    if (row.state === 'dead') {
      // Given up long ago.
      await changeTranscript(trx, recordingId, { nextAttemptAt: null });
      await dropDeliveredCredentials(trx, recordingId);
      return undefined;
    }
    const recording = await getRecording(trx, row.accountId, recordingId);
    if (!recording || recording.erasedAt) {
      await this.#options.rows.abandon(trx, recordingId);
      return undefined;
    }
    const state = nextState('transcript', transcriptTable, row.state, 'begin');
    if (state === undefined) return undefined;
    return await changeTranscript(trx, recordingId, {
      ...{ state, attempts: row.attempts + 1, nextAttemptAt: null },
    });
  }

  async #make(row: TranscriptRow, signal: AbortSignal): Promise<Transcript> {
    const engine = await this.#options.engine();
    const { channels, marks, rateHz } = await recordedParties(row, this.#options);
    const { locale } = row;
    return storable(await transcribeRecording(engine, channels, { locale, rateHz, marks, signal }));
  }

  /** The text is there; where the recording has a destination, its file goes there too. */
  async #made(trx: Db, recordingId: string, transcript: Transcript): Promise<void> {
    const row = await lockTranscript(trx, recordingId);
    // Abandoned meanwhile.
    if (row?.state !== 'running') return;
    const text = textOf(transcript);
    const { engine, utterances } = transcript;
    this.#options.log.info({ recordingId, engine, utterances: utterances.length }, 'a transcript was made');
    if (!(await deliveryOfRecording(trx, recordingId))) {
      await this.#finished(trx, recordingId, { transcript, text });
      return;
    }
    const now = this.#now();
    await changeTranscript(trx, recordingId, {
      ...{ state: nextState('transcript', transcriptTable, row.state, 'made'), transcript, text },
      ...{ attempts: 0, queuedAt: now, nextAttemptAt: now, errorCode: null, errorMessage: null },
    });
  }

  /** @param change none where its file is not wanted any more: that is not told */
  async #finished(
    trx: Db,
    recordingId: string,
    change: Parameters<typeof changeTranscript>[2] | undefined,
  ): Promise<void> {
    const row = await lockTranscript(trx, recordingId);
    if (row?.state !== 'running') return;
    const state = nextState('transcript', transcriptTable, row.state, 'finish');
    const done = await changeTranscript(trx, recordingId, {
      ...{ ...change, state, nextAttemptAt: null, errorCode: null, errorMessage: null },
    });
    await dropDeliveredCredentials(trx, recordingId);
    if (done && change) await this.#options.tell(trx, done, 'done');
  }

  async #failed(trx: Db, recordingId: string, error: unknown): Promise<void> {
    const { tell, log } = this.#options;
    const row = await lockTranscript(trx, recordingId);
    if (row?.state !== 'running') return;
    const { code, message } = asCallreelError(error);
    const isNowhere = row.transcript !== null && (await deliveryOfRecording(trx, recordingId))?.key === '';
    const delayMs = isNowhere ? undefined : this.#delayMs(row, error);
    const { locale, attempts } = row;
    log.warn(
      { recordingId, locale, attempts, error, delayMs },
      delayMs === undefined ? 'a transcript was given up' : 'a transcript could not be made or delivered',
    );
    const isDead = delayMs === undefined;
    const failed = await changeTranscript(trx, recordingId, {
      state: nextState('transcript', transcriptTable, row.state, isDead ? 'give up' : 'fail'),
      nextAttemptAt: new Date(this.#options.clock.unixMs() + (delayMs ?? deadCredentialsMs)),
      ...{ errorCode: code, errorMessage: saneText(message) },
    });
    if (isDead && failed) await tell(trx, failed, 'dead');
  }

  /** What a storage refuses is tried on, as with recordings; what an engine cannot do, or no database keeps, is not. */
  #delayMs({ transcript, attempts, queuedAt }: TranscriptRow, error: unknown): number | undefined {
    const { clock, retryDays } = this.#options;
    const mayPass =
      !isRefusedWrite(error) && (transcript !== null || isRetriable(error) || isRenderFailure(error));
    const nowMs = clock.unixMs();
    const waitedMs = nowMs - (queuedAt?.getTime() ?? nowMs);
    return mayPass ? deliveryDelayMs(attempts, waitedMs, retryDays) : undefined;
  }

  #settled<T>(change: (trx: Db) => Promise<T>): Promise<T | undefined> {
    return this.#jobs.settled(() => this.#options.outbox.transaction(change));
  }

  #now(): Date {
    return new Date(this.#options.clock.unixMs());
  }
}

/** The thread that renders died: the spool is as it was. */
function isRenderFailure(error: unknown): boolean {
  return error instanceof CallreelError && error.code === 'RENDER_FAILED';
}
