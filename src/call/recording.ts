import type { ClientState } from '../database/schema.ts';
import type { RecordingKeyMaterial } from '../media/control.ts';
import type { EndReason } from '../spool/records.ts';
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

export interface RecordingOptions {
  recordingId: string;
  conversationId: string;
  accountId: string;
  rateHz: number;
  key: RecordingKeyMaterial;
  worker: MediaWorker;
  /** Kept in the manifest's header: what a restart needs to finish the conversation without the database. */
  meta: Record<string, unknown>;
  clientState: ClientState | undefined;
}

/** The server's mirror of one recorder; the state that counts is decided in the media worker, on sample time. */
export class Recording {
  readonly recordingId: string;
  readonly conversationId: string;
  readonly rateHz: number;
  /** Told again in everything that is said of this recording. */
  readonly clientState: ClientState | undefined;
  readonly #options: RecordingOptions;
  #state: RecordingState = 'new';
  #reason: EndReason | undefined;
  readonly #ended = Promise.withResolvers<EndReason>();

  constructor(options: RecordingOptions) {
    this.recordingId = options.recordingId;
    this.conversationId = options.conversationId;
    this.rateHz = options.rateHz;
    this.clientState = options.clientState;
    this.#options = options;
  }

  /** Settles when everything is on disk, whatever the reason; never rejects. */
  get whenEnded(): Promise<EndReason> {
    return this.#ended.promise;
  }

  get running(): boolean {
    return this.#state === 'recording';
  }

  /** Asks the worker to record the room from now on; the answer may only be late, never silent. */
  start(): void {
    if (!this.#step('start')) return;
    const { recordingId, conversationId, accountId, rateHz, key, worker, meta } = this.#options;
    worker
      .send({ verb: 'recording.start', recordingId, roomId: conversationId, accountId, rateHz, key, meta })
      .catch(() => this.markEnded('error'));
  }

  stop(): void {
    if (!this.#step('stop')) return;
    this.#options.worker
      .send({ verb: 'recording.stop', recordingId: this.recordingId, reason: 'stopped' })
      .catch(() => this.markEnded('error'));
  }

  /** The worker's word, or recovery's after the worker was lost. */
  markEnded(reason: EndReason): void {
    if (this.#reason !== undefined) return;
    this.#step('ended');
    this.#reason = reason;
    this.#ended.resolve(reason);
  }

  #step(event: RecordingEvent): boolean {
    const next = nextState('recording', recordingTable, this.#state, event);
    if (next === undefined || next === this.#state) return false;
    this.#state = next;
    return true;
  }
}
