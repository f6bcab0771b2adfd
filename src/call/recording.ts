import type { ClientState } from '../database/schema.ts';
import { CallreelError } from '../errors.ts';
import type { JsonValue } from '../json-value.ts';
import type { CallCapture, Command, RecordingKeyMaterial, RecordingProgress } from '../media/control.ts';
import type { RecorderOptions } from '../media/recorder-options.ts';
import type { EndReason, PauseBehaviour } from '../spool/records.ts';
import { nextState, type TransitionTable } from '../state-machine.ts';
import type { MediaWorker } from '../worker/media-worker.ts';

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
  /** Whose form what `statusUrl` is told has; without it: ours. */
  dialect?: string | undefined;
  /** For that dialect, kept with the recording. */
  dialectData?: Record<string, JsonValue> | undefined;
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
  { verb: 'recording.pause' | 'recording.resume' | 'recording.consent' }
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
}

/** The server's mirror of one recorder; the state that counts is decided in the media worker, on sample time. */
export class Recording {
  readonly recordingId: string;
  readonly conversationId: string;
  readonly rateHz: number;
  readonly accountId: string;
  readonly wishes: RecordingWishes;
  readonly call: CallCapture | undefined;
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
    worker
      .send({
        ...{ verb: 'recording.start', recordingId, roomId: conversationId, accountId, rateHz, key, meta },
        ...(call && { call }),
        ...(wishes.options && { options: wishes.options }),
      })
      .then(
        () => this.#taken.resolve(),
        () => this.markEnded('error'),
      );
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

  /** What waits for consent may begin. @throws CallreelError as `pause` */
  async consent(): Promise<void> {
    await this.#command({ verb: 'recording.consent', recordingId: this.recordingId });
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
        if (!(error instanceof CallreelError && error.code === 'NOT_FOUND')) throw error;
      }
    }
    throw new CallreelError('CONFLICT', 'the recording has ended', { where: this.recordingId });
  }

  #step(event: RecordingEvent): boolean {
    const next = nextState('recording', recordingTable, this.#state, event);
    if (next === undefined || next === this.#state) return false;
    this.#state = next;
    return true;
  }
}
