import type { ClientState } from '../database/schema.ts';
import { CallreelError } from '../errors.ts';
import type { JsonValue } from '../json-value.ts';
import {
  type ConsentReport,
  maxNoticeSamples,
  type NoticeReport,
  type RecordingNotice,
} from '../media/consent-control.ts';
import type { CallCapture, Command, RecordingKeyMaterial, RecordingProgress } from '../media/control.ts';
import type { RecorderOptions } from '../media/recorder-options.ts';
import type { EndReason, PauseBehaviour } from '../spool/records.ts';
import { nextState, type TransitionTable } from '../state-machine.ts';
import type { MediaWorker } from '../worker/media-worker.ts';
import type { DeliveryWish } from './delivery-wish.ts';
import type { Notice, NoticeSource } from './notice.ts';

export type RecordingState = 'new' | 'recording' | 'ending' | 'ended';
export type RecordingEvent = 'start' | 'stop' | 'ended';

/** docs/design.md, ideas 3 and 4: a recording ends in exactly one terminal state, whatever becomes of its call. */
export const recordingTable: TransitionTable<RecordingState, RecordingEvent> = {
  new: {
    start: 'recording', // idea 4: on record before its first packet
    ended: 'ended', // threads and processes: its worker died before
  },
  recording: {
    stop: 'ending', // what is decided where: the worker says at which sample
    ended: 'ended', // idea 3: the conversation ended
  },
  ending: {
    stop: 'ending', // asked twice, stopped once
    ended: 'ended', // idea 4: everything is on disk
  },
  ended: {
    stop: 'ended', // idea 4: the terminal state is reached once
  },
};

/** What a recording is started with. */
/** Of a name that a document or a request gives a recording. */
export const maxControlIdCharacters = 255;

export interface RecordingWishes {
  clientState?: ClientState | undefined;
  /** Unique among the recordings that run on one call or conference; another one may have it afterwards. */
  controlId?: string | undefined;
  /** Without it: everything, until it is stopped. */
  options?: RecorderOptions | undefined;
  /** Of the file that its link gives. */
  format?: 'wav' | 'mp3' | 'mp4' | undefined;
  stereo?: boolean | undefined;
  /** Told of every change of its state. */
  statusUrl?: string | undefined;
  /** Told where `statusUrl` fails. */
  statusFallbackUrl?: string | undefined;
  /** Whose secret signs what they are told, in dialects whose applications have one each. */
  signer?: string | undefined;
  /** What each party is told when it comes into the recording. */
  notice?: Notice | undefined;
  /** Whose form what `statusUrl` is told has; without it: ours. */
  dialect?: string | undefined;
  /** Where its file is written to when it has ended. */
  delivery?: DeliveryWish | undefined;
  /** A transcript is made of it when it has ended; `delivery.transcription` asks for one too. */
  transcription?: { locale?: string } | undefined;
  /** For that dialect, kept with the recording. */
  dialectData?: Record<string, JsonValue> | undefined;
}

/** Who consented, as it is on record: first what was said, then what the worker knows of it. */
export interface GivenConsent {
  consentId: string;
  method: string;
  who: string;
  at: string;
  /** Whose consent it is; without it that of everybody who was there. */
  connectionId?: string | undefined;
  audioOffsetMs?: number | undefined;
  noticeMs?: number | undefined;
  effect?: ConsentReport;
}

/** What it does as long as it runs. */
export type RecordingActivity = 'waiting' | 'recording' | 'paused';

const activities: Readonly<Record<RecordingProgress, RecordingActivity>> = {
  'recording.started': 'recording',
  'recording.paused': 'paused',
  'recording.resumed': 'recording',
};

type RecordingCommand = Extract<
  Command,
  { verb: 'recording.pause' | 'recording.resume' | 'recording.consent' | 'recording.notice' }
>;

export interface RecordingOptions {
  recordingId: string;
  conversationId: string;
  accountId: string;
  rateHz: number;
  key: RecordingKeyMaterial;
  worker: MediaWorker;
  /** Kept in the manifest's header: what a restart needs to finish the conversation without the database. */
  meta: Record<string, unknown>;
  wishes: RecordingWishes;
  /** Of a call that is recorded by itself. */
  call?: CallCapture | undefined;
  /** Where there is a notice. */
  notices?: NoticeSource | undefined;
}

/** The server's mirror of one recorder; the state that counts is decided in the media worker, on sample time. */
export class Recording {
  readonly recordingId: string;
  readonly conversationId: string;
  readonly rateHz: number;
  readonly accountId: string;
  readonly wishes: RecordingWishes;
  readonly call: CallCapture | undefined;
  /** In the order they came. */
  readonly consents: GivenConsent[] = [];
  readonly heardNotices: NoticeReport[] = [];
  readonly #options: RecordingOptions;
  #state: RecordingState = 'new';
  #activity: RecordingActivity = 'waiting';
  #reason: EndReason | undefined;
  readonly #ended = Promise.withResolvers<EndReason>();
  readonly #written = Promise.withResolvers<void>();
  #pauseBehaviour: PauseBehaviour | undefined;
  readonly #taken = Promise.withResolvers<void>();
  readonly #begun = Promise.withResolvers<void>();

  constructor(options: RecordingOptions) {
    this.recordingId = options.recordingId;
    this.conversationId = options.conversationId;
    this.rateHz = options.rateHz;
    this.accountId = options.accountId;
    this.wishes = options.wishes;
    this.call = options.call;
    this.#options = options;
  }

  /** Told again in everything that is said of this recording. */
  get clientState(): ClientState | undefined {
    return this.wishes.clientState;
  }

  /** As the worker said last. */
  get activity(): RecordingActivity {
    return this.#activity;
  }

  /** How the last pause appears in the files; undefined before the first. */
  get pauseBehaviour(): PauseBehaviour | undefined {
    return this.#pauseBehaviour;
  }

  /** Settles when everything is on disk, whatever the reason; never rejects. */
  get whenEnded(): Promise<EndReason> {
    return this.#ended.promise;
  }

  /** Settles when the worker has taken it on; also where it did not, and it has ended. Never rejects. */
  get whenTaken(): Promise<void> {
    return this.#taken.promise;
  }

  /** Settles when it records for the first time, or has ended. Never rejects. */
  get whenBegun(): Promise<void> {
    return this.#begun.promise;
  }

  /** Undefined before its end. */
  get endReason(): EndReason | undefined {
    return this.#reason;
  }

  /** Settles when its end is in the directory: whoever asks from then on is told so. */
  get whenWritten(): Promise<void> {
    return this.#written.promise;
  }

  get running(): boolean {
    return this.#state === 'recording';
  }

  /** Asks the worker to record the room from now on; the answer may only be late, never silent. */
  start(): void {
    if (!this.#step('start')) return;
    const { recordingId, conversationId, accountId, rateHz, key, worker, meta, call, wishes } = this.#options;
    const { notice } = wishes;
    const options = { ...wishes.options, ...(notice && { notice: true }) };
    worker
      .send({
        ...{ verb: 'recording.start', recordingId, roomId: conversationId, accountId, rateHz, key, meta },
        ...(call && { call }),
        ...(Object.keys(options).length > 0 && { options }),
      })
      .then(
        () => this.#taken.resolve(),
        () => this.markEnded('error'),
      );
    if (notice) void this.#giveNotice(notice);
  }

  stop(reason: 'stopped' | 'consent_withdrawn' = 'stopped'): void {
    if (!this.#step('stop')) return;
    this.#options.worker
      .send({ verb: 'recording.stop', recordingId: this.recordingId, reason })
      .catch(() => this.markEnded('error'));
  }

  /** @throws CallreelError CONFLICT when it has ended, WORKER_LOST */
  async pause(behaviour: PauseBehaviour, scope: 'recording' | 'call'): Promise<void> {
    const { recordingId } = this;
    // The worker's word that it is paused may come ahead of its answer.
    this.#pauseBehaviour = behaviour;
    await this.#command({ verb: 'recording.pause', recordingId, behaviour, scope });
  }

  /** @throws CallreelError as `pause` */
  async resume(): Promise<void> {
    await this.#command({ verb: 'recording.resume', recordingId: this.recordingId });
  }

  /**
   * Whoever it is of may be recorded; what waits for consent begins. It is on record before.
   * @throws CallreelError as `pause`, NOT_FOUND for a party that is not there
   */
  async consent({ consentId, method, who, connectionId }: GivenConsent): Promise<void> {
    await this.#command({
      ...{ verb: 'recording.consent', recordingId: this.recordingId, given: { consentId, method, who } },
      ...(connectionId !== undefined && { connectionId }),
    });
  }

  /** Its end is in the directory. */
  markWritten(): void {
    this.#written.resolve();
  }

  /** The worker's word. */
  progressed(progress: RecordingProgress): void {
    this.#activity = activities[progress];
    if (this.#activity === 'recording') this.#begun.resolve();
  }

  /** The worker's word. */
  noticed(notice: NoticeReport): void {
    this.heardNotices.push(notice);
  }

  /** The worker's word. */
  consented(report: ConsentReport): void {
    const given = this.consents.find(({ consentId }) => consentId === report.consentId);
    if (given) given.effect = report;
  }

  /** The worker's word, or recovery's after the worker was lost. */
  markEnded(reason: EndReason): void {
    if (this.#reason !== undefined) return;
    this.#step('ended');
    this.#reason = reason;
    this.#taken.resolve();
    this.#begun.resolve();
    this.#ended.resolve(reason);
  }

  /** Of what has ended the worker knows nothing any more. */
  async #command(command: RecordingCommand): Promise<void> {
    if (this.running) {
      try {
        await this.#options.worker.send(command);
        return;
      } catch (error) {
        const isGone = error instanceof CallreelError && error.code === 'NOT_FOUND';
        if (!isGone || error.where !== this.recordingId) throw error;
      }
    }
    throw new CallreelError('CONFLICT', 'the recording has ended', { where: this.recordingId });
  }

  /** What keeps it from being heard is on record for each party; the recording goes on as it was started. */
  async #giveNotice(notice: Notice): Promise<void> {
    const { recordingId } = this;
    const over = new AbortController();
    void this.whenEnded.then(() => over.abort());
    const give = (audio: RecordingNotice['audio']) =>
      this.#command({ verb: 'recording.notice', recordingId, audio });
    try {
      const samples = await this.#options.notices?.samples(notice, over.signal);
      if (!samples || samples.length === 0) throw new CallreelError('AUDIO_INVALID', 'the notice is empty');
      if (samples.length > maxNoticeSamples)
        throw new CallreelError('AUDIO_TOO_LONG', 'a notice has at most two minutes');
      await give({ samples, rateHz: 8000 });
    } catch (error) {
      const failure = error instanceof CallreelError ? error.code : 'STATE_INVALID';
      await give({ failure }).catch(() => undefined);
    }
  }

  #step(event: RecordingEvent): boolean {
    const next = nextState('recording', recordingTable, this.#state, event);
    if (next === undefined || next === this.#state) return false;
    this.#state = next;
    return true;
  }
}
