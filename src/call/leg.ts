import { CallreelError } from '../errors.ts';
import type { SipEnd, SipRejection, SipSession } from '../sip/session.ts';
import { nextState, type TransitionTable } from '../state-machine.ts';
import type { MediaWorker } from '../worker/media-worker.ts';
import type { Connection } from './connection.ts';
import type { MediaPlane } from './media-plane.ts';

type LegState = 'ringing' | 'answering' | 'answered' | 'ended';
type LegEvent = 'answer' | 'accepted' | 'end';

const transitions: TransitionTable<LegState, LegEvent> = {
  ringing: { answer: 'answering', end: 'ended' },
  answering: { accepted: 'answered', end: 'ended' },
  answered: { end: 'ended' },
  ended: {},
};

export interface LegHandlers {
  digit?(digit: string): void;
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

  /** The worker that carries the media; undefined before `answer`. */
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
   * Opens the media and sends the 200. `room` names the room the leg is about to join, so that its media lands on
   * the worker that carries that room. Does nothing when already answered.
   * @throws CallreelError SDP_INVALID, NO_COMMON_CODEC, PORTS_EXHAUSTED, WORKER_LOST, CONFLICT (hung up meanwhile)
   */
  async answer(room: string): Promise<void> {
    if (this.#state === 'answered') return;
    if (nextState('leg', transitions, this.#state, 'answer') === undefined)
      throw new CallreelError('CONFLICT', `the call ${this.id} was hung up before it was answered`);
    this.#state = 'answering';
    const worker = this.#media.workerFor(room);
    const answer = await this.#media.negotiateIncoming(this.id, worker, this.session.offer);
    if (this.#hasEnded()) {
      await this.#media.close(this.id, worker);
      throw new CallreelError('CONFLICT', `the call ${this.id} was hung up while it was being answered`);
    }
    this.#worker = worker;
    this.#state = 'answered';
    this.session.accept(answer);
  }

  /** Ends the call from any state; `ended` follows. Idempotent. */
  hangUp(reason: string): void {
    if (this.#state !== 'ended') this.session.end(reason);
  }

  /** Refuses a call that was not answered yet. */
  reject(status: number, reason: string): void {
    if (this.#state === 'ringing' || this.#state === 'answering') this.session.reject({ status, reason });
    else this.hangUp(reason);
  }

  /** Method call, so that the compiler does not narrow the state across an await. */
  #hasEnded(): boolean {
    return this.#state === 'ended';
  }

  #reoffered(sdp: string | undefined): string | SipRejection {
    if (!this.#worker) return { status: 488, reason: 'Not Acceptable Here' };
    return this.#media.renegotiate(this.id, this.#worker, sdp);
  }

  #sessionEnded(end: SipEnd): void {
    this.#state = nextState('leg', transitions, this.#state, 'end') ?? 'ended';
    const worker = this.#worker;
    if (worker) void this.#media.close(this.id, worker);
    for (const handlers of this.#handlers) handlers.ended?.(end);
    this.#handlers.clear();
  }
}
