import { asCallreelError, CallreelError } from '../errors.ts';
import type { DigitsEnd, PlayEnd } from '../media/control.ts';
import type { ListenEvent } from '../media/listen-control.ts';
import { warningFor } from '../sdp/warning.ts';
import { retryAfter } from '../sip/retry-after.ts';
import type {
  OfferAnswer,
  SipEnd,
  SipHeader,
  SipReferral,
  SipRejection,
  SipSession,
} from '../sip/session.ts';
import { nextState, type TransitionTable } from '../state-machine.ts';
import type { MediaWorker } from '../worker/media-worker.ts';
import type { Connection } from './connection.ts';
import { infoDigit } from './info-digit.ts';
import { KeyPresses } from './key-presses.ts';
import { LegListening, type Listening, type ListenOptions } from './listening.ts';
import type { MediaPlane } from './media-plane.ts';
import { type Playback, PromptPlayback } from './prompt-playback.ts';

export type LegState = 'ringing' | 'opening' | 'ready' | 'answered' | 'ended';
export type LegEvent = 'open' | 'opened' | 'answer' | 'end';

/**
 * A party, as RFC 3261 sees its call and the media worker its media. An outgoing leg begins as `ready`: its media is
 * open and its offer is on the way.
 */
export const legTable: TransitionTable<LegState, LegEvent> = {
  ringing: {
    open: 'opening', // 3264 6: an answer names a port of ours
    end: 'ended', // 9.2: CANCEL; 13.3.1.3: refused
  },
  opening: {
    opened: 'ready', // the worker gave the port
    end: 'ended', // 9.2, 13.3.1.3
  },
  ready: {
    answer: 'answered', // 13.3.1.4, 13.2.2.4: the 2xx
    end: 'ended', // 9.1, 9.2, 13.2.2.3, 13.3.1.3
  },
  answered: {
    end: 'ended', // 15: BYE
  },
  ended: {},
};

/** Of the catalogue's, those that tell a caller something: another offer, or another node, may do. */
const tellingStatuses: readonly number[] = [488, 503];

export interface LegHandlers {
  /** A key press, by RFC 4733 (`rtp`) or by INFO. */
  digit?(digit: string, by: 'rtp' | 'info'): void;
  /** Outgoing: somebody is there, whatever it will say. */
  responded?(): void;
  /** Outgoing: the peer rings (180) or tells something (183). `hasMedia`: it will be heard before it answers. */
  progress?(status: number, hasMedia: boolean): void;
  /** Its first packet came. */
  media?(): void;
  answered?(): void;
  /** The peer put us on hold: it hears nothing of the call, and what it sends, if anything, is its music. */
  held?(): void;
  resumed?(): void;
  /** The peer transfers its call. */
  referred?(referral: SipReferral): void;
  /** Exactly once, after the media of the leg is closed. */
  ended?(end: SipEnd): void;
}

/** One party: its SIP dialog and its media, on one media worker. Knows rooms and recordings only by their ids. */
export class Leg {
  readonly connection: Connection;
  readonly session: SipSession;
  readonly #media: MediaPlane;
  readonly #handlers = new Set<LegHandlers>();
  readonly #prompts: PromptPlayback;
  readonly #keys: KeyPresses;
  readonly #listening: LegListening;
  #state: LegState = 'ringing';
  #worker: MediaWorker | undefined;
  #sdpAnswer = '';
  #warnings: SipHeader[] | undefined;
  #heard = false;
  #held = false;
  #refusal: SipRejection | undefined;

  /** @param worker of an outgoing leg, whose media is open already */
  constructor(connection: Connection, session: SipSession, media: MediaPlane, worker?: MediaWorker) {
    this.connection = connection;
    this.session = session;
    this.#media = media;
    this.#prompts = new PromptPlayback(connection.connectionId);
    this.#keys = new KeyPresses(connection.connectionId);
    this.#listening = new LegListening(connection.connectionId);
    if (worker) {
      this.#worker = worker;
      this.#state = 'ready';
    }
    session.handlers = {
      responded: () => {
        for (const handlers of this.#handlers) handlers.responded?.();
      },
      progress: (status, sdp) => this.#progressed(status, sdp),
      offerRefused: () => this.#media.otherOffer(this.id),
      answered: (sdp) => this.#peerAnswered(sdp),
      reoffered: (sdp) => this.#reoffered(sdp),
      referred: (referral) => {
        for (const handlers of this.#handlers) handlers.referred?.(referral);
      },
      info: (contentType, body) => this.#info(contentType, body),
      ended: (end) => this.#sessionEnded(end),
    };
  }

  get id(): string {
    return this.connection.connectionId;
  }

  get ended(): boolean {
    return this.#state === 'ended';
  }

  get answered(): boolean {
    return this.#state === 'answered';
  }

  /** A packet of its media came. */
  get heard(): boolean {
    return this.#heard;
  }

  /** The peer holds the call. */
  get held(): boolean {
    return this.#held;
  }

  /** The worker that carries the media; undefined before `openMedia`. */
  get worker(): MediaWorker | undefined {
    return this.#worker;
  }

  addHandlers(handlers: LegHandlers): () => void {
    this.#handlers.add(handlers);
    return () => void this.#handlers.delete(handlers);
  }

  digit(digit: string, by: 'rtp' | 'info' = 'rtp'): void {
    for (const handlers of this.#handlers) handlers.digit?.(digit, by);
  }

  /** The worker's word that the first packet came. */
  mediaCame(): void {
    if (this.#heard) return;
    this.#heard = true;
    for (const handlers of this.#handlers) handlers.media?.();
  }

  /**
   * Plays to the party alone, behind what plays already. Of a leg without media it has ended at once.
   * @param samples mono, 16 bit
   */
  play(samples: Int16Array, rateHz: 8000 | 16_000 | 48_000, loop = false): Playback {
    if (this.#worker && this.#state !== 'ended')
      return this.#prompts.start(this.#worker, samples, rateHz, loop);
    return { ended: Promise.resolve('leg-closed'), refusal: undefined, stop: () => undefined };
  }

  /** The worker's word about a prompt. */
  playEnded(playId: string, reason: PlayEnd): void {
    this.#prompts.ended(playId, reason);
  }

  /**
   * Presses keys towards the party (RFC 4733), behind those that are pressed already.
   * @param digits `0`-`9`, `*`, `#`, `A`-`D`; `w` waits for half a second
   * @throws CallreelError NO_COMMON_CODEC where the party takes none, REQUEST_INVALID, WORKER_LOST
   */
  async pressKeys(digits: string): Promise<DigitsEnd> {
    if (!this.#worker || this.#state === 'ended') return 'leg-closed';
    return await this.#keys.press(this.#worker, digits);
  }

  /** Waits for one utterance of the party; of a leg without media it has ended at once. */
  listen(options: ListenOptions): Listening {
    if (this.#worker && this.#state !== 'ended') return this.#listening.start(this.#worker, options);
    const nothing = () => undefined;
    return { ended: Promise.resolve({ reason: 'leg-closed' }), arm: nothing, stop: nothing };
  }

  /** The worker's word about what is listened for. */
  listenedTo(event: ListenEvent): void {
    this.#listening.heard(event);
  }

  /** The worker's word about keys. */
  keysPressed(digitsId: string, reason: DigitsEnd): void {
    this.#keys.ended(digitsId, reason);
  }

  /**
   * Opens the media, so that the leg can be put into a room. `room` names that room, or is the worker that
   * carries it.
   * Does nothing when the media is open.
   * @throws CallreelError SDP_INVALID, NO_COMMON_CODEC, PORTS_EXHAUSTED, WORKER_LOST, CONFLICT (hung up meanwhile)
   */
  async openMedia(room: string | MediaWorker): Promise<void> {
    if (this.#worker) return;
    if (!this.#step('open'))
      throw new CallreelError('CONFLICT', `the call ${this.id} was hung up before it was answered`);
    const { worker, answer } = await this.#openOn(room).catch((error: unknown) => this.#refuse(error));
    if (!this.#step('opened')) {
      await this.#media.close(this.id, worker);
      throw new CallreelError('CONFLICT', `the call ${this.id} was hung up while it was being answered`);
    }
    this.#worker = worker;
    this.#sdpAnswer = answer;
  }

  async #openOn(room: string | MediaWorker): Promise<{ worker: MediaWorker; answer: string }> {
    const worker = typeof room === 'string' ? this.#media.workerFor(room) : room;
    const { peer, offer } = this.session;
    return { worker, answer: await this.#media.answer(this.id, worker, peer, offer) };
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

  /** 180, so that the caller's own phone rings. */
  ring(): void {
    if (this.session.direction === 'incoming' && !this.answered && !this.ended) this.session.provisional(180);
  }

  /** 183 with our answer: the caller hears what is played to it before the call is answered. */
  openEarly(): void {
    if (this.session.direction === 'incoming' && this.#state === 'ready')
      this.session.provisional(183, this.#sdpAnswer);
  }

  /** Ends the call from any state; `ended` follows. Idempotent. */
  hangUp(reason: string): void {
    if (this.#state === 'ended') return;
    if (this.#refusal !== undefined && !this.answered)
      this.session.reject({ ...this.#refusal, headers: this.#refusalHeaders(this.#refusal.status) });
    else this.session.end(reason);
  }

  /** How the call is refused if it ends before anybody has answered it; undefined: as unavailable. */
  refuseLater(refusal: SipRejection | undefined): void {
    if (this.session.direction === 'incoming') this.#refusal = refusal;
  }

  /** Refuses a call that was not answered yet, ends one that was. */
  reject(status: number, reason: string): void {
    if (this.#state === 'answered') this.hangUp(reason);
    else if (this.#state !== 'ended')
      this.session.reject({ status, reason, headers: this.#refusalHeaders(status) });
  }

  /** The same for what has failed: by the status of an error that tells a caller something, and 500 for any other. */
  rejectFor(error: unknown): void {
    const { status, code } = asCallreelError(error);
    this.reject(tellingStatuses.includes(status) ? status : 500, code);
  }

  #refusalHeaders(status: number): SipHeader[] {
    const warnings = this.#warnings ?? [];
    return status === 503 ? [...warnings, retryAfter] : warnings;
  }

  /** Keeps for the peer why it has no media: whatever a document does without, it is how the call ends. */
  #refuse(error: unknown): never {
    if (error instanceof CallreelError) {
      const { status, code: reason } = error;
      if (status === 488) this.#warnings = [{ name: 'Warning', value: warningFor(error, 'callreel') }];
      if (tellingStatuses.includes(status)) this.refuseLater({ status, reason });
    }
    throw error;
  }

  /**
   * A first answer that can not be understood ends the call: the peer believes to be talking. A later one leaves what
   * was agreed. Nothing is waited for, so that whoever puts the leg into a room now is there before the peer's first
   * packet.
   */
  #peerAnswered(sdp: string): void {
    const worker = this.#worker;
    if (!worker || (this.#state !== 'ready' && this.#state !== 'answered')) return;
    const first = this.#media.codecOf(this.id) === undefined;
    try {
      this.#media
        .applyAnswer(this.id, worker, sdp)
        .catch(() => this.hangUp('the media worker refused the answer'));
    } catch (error) {
      if (first || this.#state === 'ready')
        this.hangUp(error instanceof CallreelError ? error.code : 'the answer can not be understood');
      return;
    }
    this.#noticeHold();
    if (this.session.direction === 'incoming' || this.#state === 'answered') return;
    if (!this.#step('answer')) return;
    for (const handlers of this.#handlers) handlers.answered?.();
  }

  /** An early answer that can not be understood is left out: the final one decides. */
  #progressed(status: number, sdp: string | undefined): void {
    const worker = this.#worker;
    let hasMedia = false;
    if (sdp !== undefined && worker && this.#state === 'ready')
      try {
        this.#media.applyAnswer(this.id, worker, sdp).catch(() => undefined);
        hasMedia = true;
      } catch (error) {
        if (!(error instanceof CallreelError)) throw error;
      }
    for (const handlers of this.#handlers) handlers.progress?.(status, hasMedia);
  }

  #reoffered(sdp: string | undefined): OfferAnswer | Promise<OfferAnswer> {
    if (!this.#worker) return { status: 488, reason: 'Not Acceptable Here' };
    const answer = this.#media.renegotiate(this.id, this.#worker, sdp);
    return answer.finally(() => this.#noticeHold());
  }

  #noticeHold(): void {
    const held = this.#media.isHeld(this.id);
    if (held === this.#held || this.ended) return;
    this.#held = held;
    for (const handlers of this.#handlers) {
      if (held) handlers.held?.();
      else handlers.resumed?.();
    }
  }

  #info(contentType: string, body: string): void {
    const digit = infoDigit(contentType, body);
    if (digit === undefined) return;
    // Recordings that a key ends are in the media worker.
    this.#worker
      ?.send({ verb: 'leg.key', legId: this.id, digit: digit.toUpperCase() })
      .catch(() => undefined);
    this.digit(digit, 'info');
  }

  #sessionEnded(end: SipEnd): void {
    this.#step('end');
    const worker = this.#worker;
    if (worker) void this.#media.close(this.id, worker);
    this.#prompts.close();
    this.#keys.close();
    this.#listening.close();
    for (const handlers of this.#handlers) handlers.ended?.(end);
    this.#handlers.clear();
  }

  #step(event: LegEvent): boolean {
    if (this.#state === 'ended') return false;
    const next = nextState('leg', legTable, this.#state, event);
    if (next === undefined) return false;
    this.#state = next;
    return true;
  }
}
