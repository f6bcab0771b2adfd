import { type Clock, sleep, type Timer } from '../clock.ts';
import { deliveryOfRecording } from '../database/deliveries.ts';
import { getRecording } from '../database/recordings.ts';
import type { Db } from '../database/schema.ts';
import type { TranscriptRow } from '../database/transcript-table.ts';
import {
  changeTranscript,
  dropDeliveredCredentials,
  listTranscriptsToDeliver,
  listTranscriptsToMake,
  lockTranscript,
  reviveInterruptedTranscripts,
} from '../database/transcripts.ts';
import { deliveryDelayMs } from '../delivery/delivery-schedule.ts';
import type { DeliveryUploadOptions } from '../delivery/delivery-upload.ts';
import type { Outbox } from '../delivery/outbox.ts';
import { CallreelError } from '../errors.ts';
import type { Logger } from '../logger.ts';
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

interface InFlight {
  kind: 'making' | 'delivering';
  abort: AbortController;
  done: Promise<void>;
}

/** A database that does not answer is asked again: what became of a try is not forgotten. */
const settleRetryMs = 1000;
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
  readonly #options: TranscriberOptions & { pollMs: number };
  readonly #inFlight = new Map<string, InFlight>();
  #stopping = false;
  #loop: Promise<void> = Promise.resolve();
  #wake: (() => void) | undefined;
  #kicked = false;

  constructor(options: TranscriberOptions) {
    this.#options = { pollMs: 1000, ...options };
  }

  /** Takes up what the run before was doing. */
  async start(): Promise<void> {
    const { db, node } = this.#options;
    await reviveInterruptedTranscripts(db, node, this.#now());
    this.#loop = this.#run();
  }

  /** Looks for work now. */
  kick(): void {
    this.#kicked = true;
    this.#wake?.();
  }

  /** Ends the try that is under way, if there is one; the row says what is next. */
  async interrupt(recordingId: string): Promise<void> {
    const found = this.#inFlight.get(recordingId);
    found?.abort.abort(new CallreelError('CONFLICT', 'the transcript was given up', { where: recordingId }));
    await found?.done;
  }

  /** Takes no new work and breaks off what is under way: the next start begins it anew. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#wake?.();
    for (const { abort } of this.#inFlight.values()) abort.abort(new Error('the process stops'));
    await this.#loop;
    await Promise.all([...this.#inFlight.values()].map(({ done }) => done));
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      this.#kicked = false;
      const started = await this.#fetch();
      if (started === 0 && !this.#kicked && !this.#stopping) await this.#pause(this.#options.pollMs);
    }
  }

  /** @returns how many were begun */
  async #fetch(): Promise<number> {
    const { concurrency, log } = this.#options;
    try {
      return (
        (await this.#take('making', concurrency, listTranscriptsToMake)) +
        (await this.#take('delivering', deliveriesAtOnce, listTranscriptsToDeliver))
      );
    } catch (error) {
      log.error({ err: error }, 'transcripts could not be looked for');
      return 0;
    }
  }

  async #take(kind: InFlight['kind'], most: number, list: typeof listTranscriptsToMake): Promise<number> {
    const { db, node } = this.#options;
    const busy = [...this.#inFlight.values()].filter((each) => each.kind === kind).length;
    if (busy >= most || this.#stopping) return 0;
    const except = [...this.#inFlight.keys()];
    const due = await list(db, node, { now: this.#now(), limit: most - busy, except });
    if (this.#stopping) return 0;
    for (const row of due) this.#begin(kind, row);
    return due.length;
  }

  #begin(kind: InFlight['kind'], { recordingId }: TranscriptRow): void {
    const abort = new AbortController();
    const done = this.#attempt(recordingId, abort.signal)
      .catch((error: unknown) => this.#options.log.error({ recordingId, error }, 'a transcript broke off'))
      .finally(() => {
        this.#inFlight.delete(recordingId);
        this.kick();
      });
    this.#inFlight.set(recordingId, { kind, abort, done });
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
        const change = { ...delivered, deliveredAt: this.#now() };
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

  async #finished(
    trx: Db,
    recordingId: string,
    change: Parameters<typeof changeTranscript>[2],
  ): Promise<void> {
    const row = await lockTranscript(trx, recordingId);
    if (row?.state !== 'running') return;
    const state = nextState('transcript', transcriptTable, row.state, 'finish');
    const done = await changeTranscript(trx, recordingId, {
      ...{ ...change, state, nextAttemptAt: null, errorCode: null, errorMessage: null },
    });
    await dropDeliveredCredentials(trx, recordingId);
    if (done) await this.#options.tell(trx, done, 'done');
  }

  async #failed(trx: Db, recordingId: string, error: unknown): Promise<void> {
    const { tell, log } = this.#options;
    const row = await lockTranscript(trx, recordingId);
    if (row?.state !== 'running') return;
    const { code, message } = asCallreelError(error);
    const delayMs = this.#delayMs(row, error);
    const { locale, attempts } = row;
    log.warn(
      { recordingId, locale, attempts, error, delayMs },
      delayMs === undefined ? 'a transcript was given up' : 'a transcript could not be made or delivered',
    );
    const isDead = delayMs === undefined;
    const failed = await changeTranscript(trx, recordingId, {
      state: nextState('transcript', transcriptTable, row.state, isDead ? 'give up' : 'fail'),
      nextAttemptAt: isDead ? null : new Date(this.#options.clock.unixMs() + delayMs),
      ...{ errorCode: code, errorMessage: message },
    });
    if (isDead) await dropDeliveredCredentials(trx, recordingId);
    if (isDead && failed) await tell(trx, failed, 'dead');
  }

  /** What a storage refuses is tried on, as with recordings; what an engine cannot do is not. */
  #delayMs({ transcript, attempts, queuedAt }: TranscriptRow, error: unknown): number | undefined {
    const { clock, retryDays } = this.#options;
    const mayPass = transcript !== null || isRetriable(error) || isRenderFailure(error);
    const nowMs = clock.unixMs();
    const waitedMs = nowMs - (queuedAt?.getTime() ?? nowMs);
    return mayPass ? deliveryDelayMs(attempts, waitedMs, retryDays) : undefined;
  }

  async #settled<T>(change: (trx: Db) => Promise<T>): Promise<T | undefined> {
    for (;;) {
      try {
        return await this.#options.outbox.transaction(change);
      } catch (error) {
        if (this.#stopping) return undefined;
        this.#options.log.error({ err: error }, 'a transcript could not be put on record');
        await sleep(this.#options.clock, settleRetryMs);
      }
    }
  }

  #now(): Date {
    return new Date(this.#options.clock.unixMs());
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      let timer: Timer | undefined;
      this.#wake = () => {
        this.#wake = undefined;
        timer?.cancel();
        resolve();
      };
      timer = this.#options.clock.after(delayMs, () => this.#wake?.());
    });
  }
}

/** The thread that renders died: the spool is as it was. */
function isRenderFailure(error: unknown): boolean {
  return error instanceof CallreelError && error.code === 'RENDER_FAILED';
}

function asCallreelError(error: unknown): CallreelError {
  if (error instanceof CallreelError) return error;
  return new CallreelError('INTERNAL', error instanceof Error ? error.message : String(error), {
    cause: error,
  });
}
