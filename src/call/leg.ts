import { CallreelError } from '../errors.ts';
import type { SipEnd, SipRejection, SipSession } from '../sip/session.ts';
import { nextState, type TransitionTable } from '../state-machine.ts';
import type { MediaWorker } from '../worker/media-worker.ts';
import type { Connection } from './connection.ts';
import type { MediaPlane } from './media-plane.ts';

type LegState = 'ringing' | 'opening' | 'ready' | 'answered' | 'ended';
type LegEvent = 'open' | 'opened' | 'answer' | 'end';

const transitions: TransitionTable<LegState, LegEvent> = {
  ringing: { open: 'opening', end: 'ended' },
  opening: { opened: 'ready', end: 'ended' },
  ready: { answer: 'answered', end: 'ended' },
  answered: { end: 'ended' },
  ended: {},
};

export interface LegHandlers {
  digit?(digit: string): void;
  answered?(): void;
  /** Exactly once, after the media of the leg is closed. */
  ended?(end: SipEnd): void;
}

/** One party: its SIP dialog and its media, on one media worker. Knows rooms and recordings only by their ids. */
export class Leg {
  readonly connection: Connection;
  readonly session: SipSession;
  readonly #media: MediaPlane;
  readonly #handlers = new Set<LegHandlers>();
  #state: LegState = 'ringing';
  #worker: MediaWorker | undefined;
  #sdpAnswer = '';

  constructor(connection: Connection, session: SipSession, media: MediaPlane) {
    this.connection = connection;
    this.session = session;
    this.#media = media;
    session.handlers = {
      reoffered: (sdp) => this.#reoffered(sdp),
      ended: (end) => this.#sessionEnded(end),
    };
  }

  get id(): string {
    return this.connection.connectionId;
  }

  get ended(): boolean {
    return this.#state === 'ended';
  }

  /** The worker that carries the media; undefined before `openMedia`. */
  get worker(): MediaWorker | undefined {
    return this.#worker;
  }

  addHandlers(handlers: LegHandlers): () => void {
    this.#handlers.add(handlers);
    return () => void this.#handlers.delete(handlers);
  }

  digit(digit: string): void {
    for (const handlers of this.#handlers) handlers.digit?.(digit);
  }

  /**
   * Opens the media, so that the leg can be put into a room. `room` names that room: its worker carries the media.
   * Does nothing when the media is open.
   * @throws CallreelError SDP_INVALID, NO_COMMON_CODEC, PORTS_EXHAUSTED, WORKER_LOST, CONFLICT (hung up meanwhile)
   */
  async openMedia(room: string): Promise<void> {
    if (this.#worker) return;
    if (!this.#step('open'))
      throw new CallreelError('CONFLICT', `the call ${this.id} was hung up before it was answered`);
    const worker = this.#media.workerFor(room);
    const answer = await this.#media.negotiateIncoming(this.id, worker, this.session.offer);
    if (!this.#step('opened')) {
      await this.#media.close(this.id, worker);
      throw new CallreelError('CONFLICT', `the call ${this.id} was hung up while it was being answered`);
    }
    this.#worker = worker;
    this.#sdpAnswer = answer;
  }

  /**
   * Sends the 200, once. A peer speaks as soon as it has it, so whatever is to happen to its first packet is arranged
   * before.
   */
  answer(): void {
    if (this.#state !== 'ready' || !this.#step('answer')) return;
    this.session.accept(this.#sdpAnswer);
    for (const handlers of this.#handlers) handlers.answered?.();
  }

  /** Ends the call from any state; `ended` follows. Idempotent. */
  hangUp(reason: string): void {
    if (this.#state !== 'ended') this.session.end(reason);
  }

  /** Refuses a call that was not answered yet, ends one that was. */
  reject(status: number, reason: string): void {
    if (this.#state === 'answered') this.hangUp(reason);
    else if (this.#state !== 'ended') this.session.reject({ status, reason });
  }

  #reoffered(sdp: string | undefined): string | SipRejection {
    if (!this.#worker) return { status: 488, reason: 'Not Acceptable Here' };
    return this.#media.renegotiate(this.id, this.#worker, sdp);
  }

  #sessionEnded(end: SipEnd): void {
    this.#step('end');
    const worker = this.#worker;
    if (worker) void this.#media.close(this.id, worker);
    for (const handlers of this.#handlers) handlers.ended?.(end);
    this.#handlers.clear();
  }

  #step(event: LegEvent): boolean {
    if (this.#state === 'ended') return false;
    const next = nextState('leg', transitions, this.#state, event);
    if (next === undefined) return false;
    this.#state = next;
    return true;
  }
}
